// Products of a tile with a matrix: blocks of rows x vectors stay in registers over the whole sum, and what follows the
// product (bias, addends, activation, derivative) is applied before they are stored, which saves a pass through memory.

#pragma once

#include "interface.h"
#include "vector.h"

namespace {

constexpr int kVectors = VECTORS;  // vectors in a row of the block
constexpr int kRows = 6;
constexpr int kPanel = WIDTH * VECTORS;

enum After { kNothing, kBias, kBiasRelu, kGather, kGatherRelu, kMask, kFactor };

// What is read after the product. Rows are counted from the tile's first.
struct Extra {
    const Number *bias = nullptr;  // null: none
    const Number *first = nullptr, *second = nullptr;
    const int64_t *first_index = nullptr, *second_index = nullptr;
    const Number *factor = nullptr;  // kMask: zero where the result is dropped; kFactor: what it is multiplied by
    Number scale = 1;  // kMask: what remains is multiplied by it
};

struct Matrix {  // element (row, k) at p[row * row_step + k * step]
    const Number *p;
    int64_t row_step, step;
};

struct Target {
    Number *p;
    int64_t stride;
    bool add;  // to the numbers at p, instead of replacing them
};

template <int V, After E>
INLINE void finish(Vec (&c)[V], const Extra &e, int64_t row, int64_t column, int64_t stride) {
    if constexpr (E == kBias || E == kBiasRelu) {
        if (e.bias)
            for (int j = 0; j < V; j++) c[j] += load(e.bias + column + j * kWidth);
    }
    if constexpr (E == kGather || E == kGatherRelu) {
        const Number *a = e.first + (e.first_index ? e.first_index[row] : row) * stride + column;
        const Number *b = e.second + e.second_index[row] * stride + column;
        for (int j = 0; j < V; j++) c[j] += load(a + j * kWidth) + load(b + j * kWidth);
    }
    if constexpr (E == kBiasRelu || E == kGatherRelu)
        for (int j = 0; j < V; j++) c[j] = positive(c[j]);
    if constexpr (E == kMask || E == kFactor) {
        const Number *f = e.factor + row * stride + column;
        for (int j = 0; j < V; j++) {
            const Vec by = load(f + j * kWidth);
            if constexpr (E == kMask) c[j] = by > Vec{} ? c[j] * e.scale : Vec{};
            if constexpr (E == kFactor) c[j] *= by;
        }
    }
}

template <int R, int V, After E>
INLINE void block(int64_t n_k, Matrix a, const Number *b, int64_t b_stride, Target out, const Extra &e, int64_t row, int64_t column) {
    const Number *a_row = a.p + row * a.row_step;
    Number *c_row = out.p + row * out.stride + column;
    Vec c[R][V];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < V; j++) c[r][j] = out.add ? load(c_row + r * out.stride + j * kWidth) : Vec{};
    for (int64_t k = 0; k < n_k; k++) {
        Vec line[V];
        for (int j = 0; j < V; j++) line[j] = load(b + k * b_stride + j * kWidth);
        for (int r = 0; r < R; r++) {
            const Number left = a_row[r * a.row_step + k * a.step];
            for (int j = 0; j < V; j++) c[r][j] += left * line[j];
        }
    }
    for (int r = 0; r < R; r++) {
        finish<V, E>(c[r], e, row + r, column, out.stride);
        for (int j = 0; j < V; j++) store(c_row + r * out.stride + j * kWidth, c[r][j]);
    }
}

template <int V, After E>
void panel(int64_t n_row, int64_t n_k, Matrix a, const Number *b, int64_t b_stride, Target out, const Extra &e, int64_t column) {
    int64_t row = 0;
    for (; row + kRows <= n_row; row += kRows) block<kRows, V, E>(n_k, a, b, b_stride, out, e, row, column);
    for (; row + 2 <= n_row; row += 2) block<2, V, E>(n_k, a, b, b_stride, out, e, row, column);
    if (row < n_row) block<1, V, E>(n_k, a, b, b_stride, out, e, row, column);
}

// out (n_row, n_column) = a (n_row, n_k) b (n_k, n_column). b_stride 0: b is packed in panels.
template <After E>
void product(int64_t n_row, int64_t n_k, int64_t n_column, Matrix a, const Number *b, int64_t b_stride, Target out, const Extra &e = {}) {
    for (int64_t column = 0; column < n_column; column += kPanel) {
        const int64_t wide = n_column - column < kPanel ? n_column - column : kPanel;
        const Number *from = b_stride ? b + column : b + column * n_k;
        const int64_t stride = b_stride ? b_stride : wide;
        switch (wide / kWidth) {
            case 1: panel<1, E>(n_row, n_k, a, from, stride, out, e, column); break;
            case 2: panel<2, E>(n_row, n_k, a, from, stride, out, e, column); break;
#if VECTORS == 4
            case 3: panel<3, E>(n_row, n_k, a, from, stride, out, e, column); break;
            case 4: panel<4, E>(n_row, n_k, a, from, stride, out, e, column); break;
#endif
        }
    }
}

}  // namespace
