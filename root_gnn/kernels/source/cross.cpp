// The entry point of x^T y: rows are shared among threads, and what each added up is put together in order.

#include <vector>

#include "choice.h"
#include "interface.h"
#include "memory.h"
#include "threads.h"

namespace {

constexpr int64_t kRowsWorthAThread = 2048;

void cross(const Cross &job, const CrossForm &form) {
    const int64_t n = std::clamp<int64_t>(job.n_row / kRowsWorthAThread, 1, std::max<int64_t>(job.n_thread, 1)), size = job.p * job.q;
    std::vector<BlockOf<double>> parts;
    for (int64_t i = 1; i < n; i++) parts.push_back(zeros<double>(size));
    in_threads(n, [&](int64_t i) {
        form.run(job, job.n_row * i / n, job.n_row * (i + 1) / n, i ? parts[static_cast<size_t>(i - 1)].get() : job.out);
    });
    for (const BlockOf<double> &part : parts) add(part.get(), size, job.out);
    if (job.x == job.y)
        for (int64_t i = 0; i < job.p; i++)
            for (int64_t j = 0; j < i; j++) job.out[i * job.q + j] = job.out[j * job.q + i];
}

}  // namespace

int root_gnn_cross(const Cross *job, const char *name) {
    return guarded(choose<CrossForm>(FORMS(cross), job->q, name), [&](const CrossForm &form) { cross(*job, form); });
}
