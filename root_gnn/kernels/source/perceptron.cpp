// The entry points of the perceptron: packs the weights, shares the rows among threads and adds up their gradients.
// Compiled for the oldest processor; nothing here is in an inner loop.

#include <algorithm>
#include <vector>

#include "choice.h"
#include "interface.h"
#include "memory.h"
#include "threads.h"

namespace {

constexpr int64_t kRowsWorthAThread = 2048;

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

// Where each thread's rows begin, and the end. No segment is split, so that no two threads write to the same row.
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
        if (job.n_largest[i] == 0) job.largest[i] = 0.0f;  // the maximum over no rows
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
    for (int64_t i = 1; i < n; i++) {  // in this order, whichever thread finished first, so that sums have the same bits
        add(parts[i].sums.get(), parts[0].n, parts[0].sums.get());
        if (parts[i].n_first) add(parts[i].sums.get() + parts[i].n, parts[i].n_first, job.first_gradient);
    }
    hand_out(job, parts[0].parts(job));
}

const Form *chosen(int64_t dim, const char *name) { return choose<Form>(FORMS(form), dim, name); }

}  // namespace

int64_t root_gnn_interface_size() { return sizeof(Job) + sizeof(Layer) + sizeof(Pairs) + sizeof(Cross); }

const char *root_gnn_form(int64_t dim) {
    const Form *form = chosen(dim, "");
    return form ? form->name : "";
}

int root_gnn_forward(const Job *job, const char *name) {
    return guarded(chosen(job->dim, name), [&](const Form &form) { forward(*job, form); });
}

int root_gnn_backward(const Job *job, const char *name) {
    return guarded(chosen(job->dim, name), [&](const Form &form) { backward(*job, form); });
}
