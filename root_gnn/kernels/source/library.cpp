// The entry points: chooses the instruction set, packs the weights, shares the rows among threads and adds up what they did.
// Compiled for the oldest processor; nothing here is in an inner loop.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "interface.h"

namespace {

constexpr int64_t kRowsWorthAThread = 2048;

struct Free {
    void operator()(float *p) const { std::free(p); }
};
using Block = std::unique_ptr<float, Free>;

Block room(int64_t n) {
    void *p = nullptr;
    if (posix_memalign(&p, 64, static_cast<size_t>(std::max<int64_t>(n, 1)) * sizeof(float)) != 0) throw std::bad_alloc();
    return Block(static_cast<float *>(p));
}

Block zeros(int64_t n) {
    Block block = room(n);
    std::fill_n(block.get(), n, 0.0f);
    return block;
}

bool runs_here(const Form &form) {
#if defined(__x86_64__)
    if (&form == &form_avx512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    if (&form == &form_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return &form == &form_baseline;
}

// The widest form this processor has whose vectors fill rows of `dim`; `name` asks for one.
const Form *choose(int64_t dim, const char *name) {
#if defined(__x86_64__)
    const Form *forms[] = {&form_avx512, &form_avx2, &form_baseline};
#else
    const Form *forms[] = {&form_baseline};
#endif
    for (const Form *form : forms)
        if (dim > 0 && dim % form->width == 0 && runs_here(*form) && (!*name || std::strcmp(name, form->name) == 0)) return form;
    return nullptr;
}

int64_t n_weight(const Job &job) {
    int64_t n = 0;
    for (int64_t l = 0; l < job.n_layer; l++) n += job.layers[l].n_in * job.dim;
    return n;
}

// A matrix of n_k x n_column in panels, its element (k, column) at p[k * k_step + column * column_step].
void pack(const float *p, int64_t k_step, int64_t column_step, int64_t n_k, int64_t n_column, int64_t panel, float *to) {
    for (int64_t column = 0; column < n_column; column += panel) {
        const int64_t end = std::min(column + panel, n_column);
        for (int64_t k = 0; k < n_k; k++)
            for (int64_t c = column; c < end; c++) *to++ = p[k * k_step + c * column_step];
    }
}

void pack_forward(const Job &job, int64_t panel, float *to) {
    for (int64_t l = 0; l < job.n_layer; l++) {
        const Layer &layer = job.layers[l];
        pack(layer.weight, 1, layer.stride, layer.n_in, job.dim, panel, to);
        to += layer.n_in * job.dim;
    }
}

void pack_backward(const Job &job, int64_t panel, float *to) {
    for (int64_t l = 0; l < job.n_layer; l++) {
        const Layer &layer = job.layers[l];
        pack(layer.weight, layer.stride, 1, job.dim, layer.n_in, panel, to);
        to += layer.n_in * job.dim;
    }
}

// Where each thread's rows begin, and the end. No segment is shared, so that no two threads write to the same row.
std::vector<int64_t> shares(const Job &job) {
    const int64_t n = std::clamp<int64_t>(job.n_row / kRowsWorthAThread, 1, std::max<int64_t>(job.n_thread, 1));
    std::vector<int64_t> bounds{0};
    for (int64_t i = 1; i < n; i++) {
        int64_t row = std::max(job.n_row * i / n, bounds.back());
        while (job.second_index && row > 0 && row < job.n_row && job.second_index[row] == job.second_index[row - 1]) row++;
        bounds.push_back(row);
    }
    bounds.push_back(job.n_row);
    return bounds;
}

// Runs work(i) for all i < n, each in a thread of its own, the first in this one.
template <class Work>
void in_threads(int64_t n, const Work &work) {
    std::vector<std::thread> threads;
    threads.reserve(static_cast<size_t>(n));
    int64_t started = 1;
    try {
        for (; started < n; started++) threads.emplace_back(work, started);
    } catch (...) {  // no more threads to be had: the rest is done here
    }
    work(0);
    for (int64_t i = started; i < n; i++) work(i);
    for (std::thread &thread : threads) thread.join();
}

void add(const float *from, int64_t n, float *to) {
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

// Weight, bias, scale and shift gradients of a thread in one block, behind them that of `first` where it needs its own.
struct Share {
    Share(const Job &job, bool own_first, int64_t scratch)
        : n(n_weight(job) + (job.n_layer + 2) * job.dim), n_first(own_first ? job.n_first * job.dim : 0),
          sums(zeros(n + n_first)), space(room(scratch)) {}

    Sums parts(const Job &job) const {
        float *biases = sums.get() + n_weight(job), *scale = biases + job.n_layer * job.dim;
        return {sums.get(), biases, scale, scale + job.dim, n_first ? sums.get() + n : job.first_gradient};
    }

    int64_t n, n_first;
    Block sums, space;
};

void hand_out(const Job &job, const Sums &sums) {
    const float *weights = sums.weights;
    for (int64_t l = 0; l < job.n_layer; l++) {
        const Layer &layer = job.layers[l];
        for (int64_t row = 0; row < job.dim; row++)
            for (int64_t k = 0; k < layer.n_in; k++) layer.weight_gradient[row * layer.n_in + k] = weights[k * job.dim + row];
        weights += layer.n_in * job.dim;
        if (layer.bias_gradient) std::copy_n(sums.biases + l * job.dim, job.dim, layer.bias_gradient);
    }
    std::copy_n(sums.scale, job.dim, job.scale_gradient);
    std::copy_n(sums.shift, job.dim, job.shift_gradient);
}

void forward(const Job &job, const Form &form) {
    const Block weights = room(n_weight(job));
    pack_forward(job, form.panel, weights.get());
    const std::vector<int64_t> bounds = shares(job);
    const int64_t n = static_cast<int64_t>(bounds.size()) - 1;
    std::vector<Block> spaces;
    for (int64_t i = 0; i < n; i++) spaces.push_back(room(form.scratch(job)));
    if (job.largest) {
        std::fill_n(job.largest, job.n_second * job.dim, -__builtin_inff());
        std::fill_n(job.n_largest, job.n_second * job.dim, 0.0f);
    }
    in_threads(n, [&](int64_t i) {
        form.forward(job, {weights.get(), nullptr}, bounds[i], bounds[i + 1], spaces[i].get());
    });
    for (int64_t i = 0; job.largest && i < job.n_second * job.dim; i++)
        if (job.n_largest[i] == 0) job.largest[i] = 0.0f;  // of no rows
}

void backward(const Job &job, const Form &form) {
    const Block ahead = room(n_weight(job)), back = room(n_weight(job));
    pack_forward(job, form.panel, ahead.get());
    pack_backward(job, form.panel, back.get());
    const std::vector<int64_t> bounds = shares(job);
    const int64_t n = static_cast<int64_t>(bounds.size()) - 1;
    std::vector<Share> parts;
    for (int64_t i = 0; i < n; i++) parts.emplace_back(job, i > 0 && job.first_gradient && job.first_index, form.scratch(job));
    in_threads(n, [&](int64_t i) {
        form.backward(job, {ahead.get(), back.get()}, bounds[i], bounds[i + 1], parts[i].space.get(), parts[i].parts(job));
    });
    for (int64_t i = 1; i < n; i++) {  // in this order, whatever thread was first
        add(parts[i].sums.get(), parts[0].n, parts[0].sums.get());
        if (parts[i].n_first) add(parts[i].sums.get() + parts[i].n, parts[i].n_first, job.first_gradient);
    }
    hand_out(job, parts[0].parts(job));
}

template <class Run>
int guarded(const Job *job, const char *name, const Run &run) {
    const Form *form = choose(job->dim, name);
    if (!form) return 2;
    try {
        run(*job, *form);
    } catch (...) {
        return 1;
    }
    return 0;
}

}  // namespace

int64_t root_gnn_interface_size() { return sizeof(Job) + sizeof(Layer); }

const char *root_gnn_form(int64_t dim) {
    const Form *form = choose(dim, "");
    return form ? form->name : "";
}

int root_gnn_forward(const Job *job, const char *form) { return guarded(job, form, forward); }

int root_gnn_backward(const Job *job, const char *form) { return guarded(job, form, backward); }
