// The entry point of the contrastive loss.

#include "choice.h"
#include "interface.h"
#include "memory.h"

int root_gnn_nt_xent(const Pairs *job, const char *name) {
    return guarded(choose<PairsForm>(FORMS(pairs), job->dim, name), [&](const PairsForm &form) {
        form.run(*job, room(form.scratch(*job)).get());
    });
}
