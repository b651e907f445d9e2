// The operator of interface.h, a tile of rows at a time, for the instruction set this is compiled for.

#pragma once

#include "functions.h"
#include "product.h"

namespace {

constexpr int64_t kTile = 12288;  // numbers in a layer of a tile: 48 KiB, so that all layers stay in the second cache

// Rows of a tile, a multiple of kRows: 192 at dim 64, 96 at 128.
int64_t tile_rows(const Job &job) { return job.dim * kRows < kTile ? kTile / job.dim / kRows * kRows : kRows; }

// The rows of a job that are processed together, and scratch space for them. `kept[l]` holds the numbers of layer l
// that the backward pass reads: those after the activation for ReLU, which suffice for its derivative, and those before
// it for the others, whose next layer then reads `after`.
struct Tile {
    const Job &job;
    const Packed &packed;
    int64_t begin, n;
    int64_t n_kept;  // layers there is room for; layer l + n_kept replaces layer l
    float *kept, *after;  // the first layer's rows; those of one layer

    bool smooth() const { return job.activation != 0; }
    bool activated(int64_t l) const { return l + 1 < job.n_layer || job.activate_last; }
    int64_t size() const { return n * job.dim; }
    float *kept_of(int64_t l) const { return kept + l % n_kept * size(); }
    int64_t n_in(int64_t l) const { return job.layers[l].n_in; }
    const float *x() const { return job.x + begin * n_in(0); }
};

int64_t n_weight(const Job &job, int64_t n_layer) {
    int64_t n = 0;
    for (int64_t l = 0; l < n_layer; l++) n += job.layers[l].n_in * job.dim;
    return n;
}

// Calls `apply(value, keep)` for every vector of the layer, where `keep` is what dropout multiplies it by.
template <class Apply>
INLINE void with_dropout(const Tile &tile, int64_t layer, const Apply &apply) {
    const Job &job = tile.job;
    const int threshold = static_cast<int>(job.dropout * 16777216.0);
    const Vec scale = all(static_cast<float>(1.0 / (1.0 - job.dropout)));
    for (int64_t i = 0; i < tile.n; i++) {
        const uint64_t row = static_cast<uint64_t>((tile.begin + i) * job.n_layer + layer);
        const uint32_t key = static_cast<uint32_t>(mixed(job.seed ^ mixed(row)));
        for (int64_t j = 0; j < job.dim; j += kWidth) {
            const Vec keep = threshold ? (random24(key, static_cast<int>(j)) >= threshold ? scale : Vec{}) : all(1.0f);
            apply(i * job.dim + j, keep);
        }
    }
}

INLINE Activated activation(const Job &job, Vec v) { return job.activation == 1 ? gelu(v) : silu(v); }

// Activation and dropout of a layer: from `kept_of(layer)` to `to`, which may be the same.
void activate(const Tile &tile, int64_t layer, float *to) {
    const float *from = tile.kept_of(layer);
    if (!tile.smooth()) {
        if (tile.job.dropout > 0) with_dropout(tile, layer, [&](int64_t at, Vec keep) { store(to + at, load(from + at) * keep); });
        return;
    }
    with_dropout(tile, layer, [&](int64_t at, Vec keep) { store(to + at, activation(tile.job, load(from + at)).value * keep); });
}

// The same for a smooth activation, with its derivative.
void activate_with_slope(const Tile &tile, int64_t layer, float *to, float *slope) {
    const float *from = tile.kept_of(layer);
    with_dropout(tile, layer, [&](int64_t at, Vec keep) {
        const Activated a = activation(tile.job, load(from + at));
        store(to + at, a.value * keep);
        store(slope + at, a.slope * keep);
    });
}

// All layers; returns the input of the LayerNorm. With `in_place` the activation overwrites the numbers of a layer.
const float *layers_forward(const Tile &tile, bool in_place) {
    const Job &job = tile.job;
    const float *input = tile.x();
    const float *weight = tile.packed.forward;
    for (int64_t l = 0; l < job.n_layer; l++) {
        const int64_t n_in = tile.n_in(l);
        const bool gathers = l == 0 && job.first, relu = tile.activated(l) && !tile.smooth();
        Extra extra;
        extra.bias = job.layers[l].bias;
        if (gathers) {
            extra.first = job.first_index ? job.first : job.first + tile.begin * job.dim;
            extra.second = job.second;
            extra.first_index = job.first_index ? job.first_index + tile.begin : nullptr;
            extra.second_index = job.second_index + tile.begin;
        }
        const Matrix a{input, n_in, 1};
        const Target out{tile.kept_of(l), job.dim, false};
        const auto run = gathers ? (relu ? product<kGatherRelu> : product<kGather>) : (relu ? product<kBiasRelu> : product<kBias>);
        run(tile.n, n_in, job.dim, a, weight, 0, out, extra);
        weight += n_in * job.dim;
        float *to = tile.smooth() && !in_place ? tile.after : tile.kept_of(l);
        if (tile.activated(l)) activate(tile, l, to);
        input = tile.activated(l) ? to : tile.kept_of(l);
    }
    return input;
}

struct Moments {
    float mean, inverse;  // 1 / sqrt(variance + epsilon)
};

INLINE Moments moments(const Job &job, const float *z) {
    Vec s{}, q{};
    for (int64_t j = 0; j < job.dim; j += kWidth) s += load(z + j);
    const float mean = sum(s) / static_cast<float>(job.dim);
    for (int64_t j = 0; j < job.dim; j += kWidth) {
        const Vec d = load(z + j) - mean;
        q += d * d;
    }
    const float variance = sum(q) / static_cast<float>(job.dim);
    return {mean, 1.0f / __builtin_sqrtf(variance + static_cast<float>(job.epsilon))};
}

// The vector of the output at column j, from the row `z` before the LayerNorm and the row `x` of the input.
INLINE Vec output(const Job &job, const float *z, const float *x, Moments m, int64_t j) {
    const Vec y = (load(z + j) - m.mean) * m.inverse * load(job.scale + j) + load(job.shift + j);
    return job.residual ? y + load(x + j) : y;
}

INLINE void raise_largest(float *largest, float *n_largest, Vec y) {
    const Vec old = load(largest), n = load(n_largest);
    const auto larger = (y > old) | (y != y);  // NaN wins, and stays
    store(n_largest, larger ? all(1.0f) : (y == old ? n + 1.0f : n));
    store(largest, larger ? y : old);
}

void finish_forward(const Tile &tile, const float *z) {
    const Job &job = tile.job;
    const int64_t dim = job.dim;
    for (int64_t i = 0; i < tile.n; i++) {
        const float *row = z + i * dim, *x = tile.x() + i * dim;
        const Moments m = moments(job, row);
        const int64_t at = job.second_index ? job.second_index[tile.begin + i] * dim : 0;
        for (int64_t j = 0; j < dim; j += kWidth) {
            const Vec y = output(job, row, x, m, j);
            store(job.out + (tile.begin + i) * dim + j, y);
            if (job.total) store(job.total + at + j, load(job.total + at + j) + y);
            if (job.largest) raise_largest(job.largest + at + j, job.n_largest + at + j, y);
        }
    }
}

// The sum of the gradients of output, total and largest for one row at column j.
INLINE Vec out_gradient(const Tile &tile, int64_t i, int64_t j, const float *z, const float *x, Moments m) {
    const Job &job = tile.job;
    const int64_t at = job.second_index ? job.second_index[tile.begin + i] * job.dim + j : 0;
    Vec g = job.out_gradient ? load(job.out_gradient + (tile.begin + i) * job.dim + j) : Vec{};
    if (job.total_gradient) g += load(job.total_gradient + at);
    if (job.largest_gradient) g += output(job, z, x, m, j) == load(job.largest + at) ? load(job.largest_gradient + at) : Vec{};
    return g;
}

// Through residual and LayerNorm: `g` becomes the gradient of `z`.
void norm_backward(const Tile &tile, const float *z, float *g, const Sums &sums) {
    const Job &job = tile.job;
    const float n = static_cast<float>(job.dim);
    for (int64_t i = 0; i < tile.n; i++) {
        const float *row = z + i * job.dim, *x = tile.x() + i * job.dim;
        float *to = g + i * job.dim;
        const Moments m = moments(job, row);
        Vec by_one{}, by_unit{};
        for (int64_t j = 0; j < job.dim; j += kWidth) {
            const Vec d = out_gradient(tile, i, j, row, x, m), unit = (load(row + j) - m.mean) * m.inverse;
            if (job.residual && job.x_gradient) store(job.x_gradient + (tile.begin + i) * job.dim + j, d);
            store(sums.scale + j, load(sums.scale + j) + d * unit);
            store(sums.shift + j, load(sums.shift + j) + d);
            const Vec w = d * load(job.scale + j);
            by_one += w;
            by_unit += w * unit;
            store(to + j, w);
        }
        const float one = sum(by_one) / n, other = sum(by_unit) / n;
        for (int64_t j = 0; j < job.dim; j += kWidth) {
            const Vec unit = (load(row + j) - m.mean) * m.inverse;
            store(to + j, (load(to + j) - one - unit * other) * m.inverse);
        }
    }
}

void multiply_by_slope(const Tile &tile, const float *kept, const float *slope, float *g) {
    const Vec scale = all(static_cast<float>(1.0 / (1.0 - tile.job.dropout)));
    for (int64_t at = 0; at < tile.size(); at += kWidth) {
        const Vec d = load(g + at);
        store(g + at, tile.smooth() ? d * load(slope + at) : (load(kept + at) > Vec{} ? d * scale : Vec{}));
    }
}

void add_columns(const Tile &tile, const float *g, float *to) {
    constexpr int kChains = 4;  // independent sums, so that no addition waits for the one before
    const int64_t dim = tile.job.dim;
    for (int64_t j = 0; j < dim; j += kWidth) {
        Vec s[kChains]{load(to + j)};
        int64_t i = 0;
        for (; i + kChains <= tile.n; i += kChains)
            for (int r = 0; r < kChains; r++) s[r] += load(g + (i + r) * dim + j);
        for (; i < tile.n; i++) s[0] += load(g + i * dim + j);
        store(to + j, (s[0] + s[1]) + (s[2] + s[3]));
    }
}

void scatter(const Tile &tile, const float *g, const int64_t *index, float *to) {
    const int64_t dim = tile.job.dim;
    for (int64_t i = 0; i < tile.n; i++) {
        float *row = to + (index ? index[tile.begin + i] : tile.begin + i) * dim;
        for (int64_t j = 0; j < dim; j += kWidth) store(row + j, load(row + j) + load(g + i * dim + j));
    }
}

// The gradient of x: a product where its width is one of vectors, else one number at a time.
void input_gradient(const Tile &tile, const float *g) {
    const Job &job = tile.job;
    const Layer &layer = job.layers[0];
    float *to = job.x_gradient + tile.begin * layer.n_in;
    if (layer.n_in % kWidth == 0) {
        product<kNothing>(tile.n, job.dim, layer.n_in, {g, job.dim, 1}, tile.packed.backward, 0, {to, layer.n_in, job.residual != 0});
        return;
    }
    for (int64_t i = 0; i < tile.n; i++)
        for (int64_t k = 0; k < layer.n_in; k++) {
            Vec s{};
            const float *column = tile.packed.forward;  // n_in x dim in panels
            for (int64_t j = 0; j < job.dim; j += kWidth) {
                const int64_t first = j / kPanel * kPanel, wide = job.dim - first < kPanel ? job.dim - first : kPanel;
                s += load(g + i * job.dim + j) * load(column + first * layer.n_in + k * wide + j - first);
            }
            to[i * layer.n_in + k] = sum(s);
        }
}

void tile_backward(const Tile &tile, float *g, float *spare, float *slope, const Sums &sums) {
    const Job &job = tile.job;
    const int64_t dim = job.dim, last = job.n_layer - 1;
    const float *z = tile.kept_of(last);
    if (tile.activated(last) && tile.smooth()) {
        activate_with_slope(tile, last, tile.after, slope);
        z = tile.after;
    }
    norm_backward(tile, z, g, sums);
    if (tile.activated(last)) multiply_by_slope(tile, tile.kept_of(last), slope, g);
    for (int64_t l = last; l >= 0; l--) {
        if (job.layers[l].bias) add_columns(tile, g, sums.biases + l * dim);
        const float *input = l ? tile.kept_of(l - 1) : tile.x();
        if (l && tile.smooth()) {
            activate_with_slope(tile, l - 1, tile.after, slope);
            input = tile.after;
        }
        product<kNothing>(tile.n_in(l), tile.n, dim, {input, 1, tile.n_in(l)}, g, dim, {sums.weights + n_weight(job, l), dim, true});
        if (l == 0) break;
        Extra extra;
        extra.factor = tile.smooth() ? slope : tile.kept_of(l - 1);
        extra.scale = static_cast<float>(1.0 / (1.0 - job.dropout));
        const auto run = tile.smooth() ? product<kFactor> : product<kMask>;
        run(tile.n, dim, dim, {g, dim, 1}, tile.packed.backward + n_weight(job, l), 0, {spare, dim, false}, extra);
        float *swapped = g;
        g = spare;
        spare = swapped;
    }
    if (sums.first) scatter(tile, g, job.first_index, sums.first);
    if (job.second_gradient) scatter(tile, g, job.second_index, job.second_gradient);
    if (job.x_gradient) input_gradient(tile, g);
}

int64_t scratch_size(const Job &job) { return (job.n_layer + 4) * tile_rows(job) * job.dim; }

void forward_rows(const Job &job, const Packed &packed, int64_t begin, int64_t end, float *scratch) {
    const int64_t rows = tile_rows(job);
    for (int64_t row = begin; row < end; row += rows) {
        const int64_t n = end - row < rows ? end - row : rows;
        float *kept = job.stored ? job.stored + row * job.n_layer * job.dim : scratch + rows * job.dim;
        const Tile tile{job, packed, row, n, job.stored ? job.n_layer : 2, kept, scratch};
        finish_forward(tile, layers_forward(tile, !job.stored));
    }
}

void backward_rows(const Job &job, const Packed &packed, int64_t begin, int64_t end, float *scratch, const Sums &sums) {
    const int64_t rows = tile_rows(job), size = rows * job.dim;
    float *after = scratch, *g = scratch + size, *spare = scratch + 2 * size, *slope = scratch + 3 * size;
    for (int64_t row = begin; row < end; row += rows) {
        const int64_t n = end - row < rows ? end - row : rows;
        float *kept = job.stored ? job.stored + row * job.n_layer * job.dim : scratch + 4 * size;
        const Tile tile{job, packed, row, n, job.n_layer, kept, after};
        if (!job.stored) layers_forward(tile, false);
        tile_backward(tile, g, spare, slope, sums);
    }
}

}  // namespace
