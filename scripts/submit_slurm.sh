#!/usr/bin/env bash
#SBATCH --job-name=root-gnn
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out
# A training as a Slurm job: one task for each GPU, queued again where its time runs out before it is done.
# Usage: sbatch [OPTIONS OF sbatch] scripts/submit_slurm.sh RECIPE [OPTIONS OF root-gnn train]
# Options of sbatch on the command line win over those above; --ntasks-per-node is --gpus-per-node.
set -uo pipefail
if [ $# -eq 0 ]; then
    echo "Usage: sbatch [OPTIONS OF sbatch] scripts/submit_slurm.sh RECIPE [OPTIONS OF root-gnn train]" >&2
    exit 2
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
again=no child=
trap 'again=yes; kill -USR1 "$child" 2>/dev/null' USR1  # two minutes before the end: srun hands it on, the tasks save
trap 'kill -TERM "$child" 2>/dev/null' TERM             # cancelled, or preempted: then Slurm itself queues the job again
srun --kill-on-bad-exit=1 root-gnn train "$@" --resume &
child=$!
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do  # a signal ends `wait`, not srun
    wait "$child"; code=$?
done
if [ "$again" = yes ] && [ "$code" -ne 0 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
