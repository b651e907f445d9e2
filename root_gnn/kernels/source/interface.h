// The plain C interface of the compiled operator, and what its translation units share.
//
// The operator runs a multilayer perceptron over many rows, tile by tile so that everything between input and output
// stays in cache:
//
//     z = W_0 x + b_0 [+ first[first_index] + second[second_index]]      activation, dropout, W_1 ..., activation, ...
//     out = LayerNorm(z_last) [+ x],   total[s] and largest[s] over the rows with second_index == s
//
// The library also has the contrastive loss of pairs of views, and the product of features in double precision that
// CKA is computed from.
//
// `library.py` mirrors the structures; `interface_size` lets it notice when they differ. All arrays are row-major
// without gaps, except the weights, whose rows are `stride` numbers apart. Nothing here is allocated for the caller.

#pragma once

#include <cstdint>

struct Layer {
    const float *weight;  // (dim, n_in)
    int64_t n_in, stride;
    const float *bias;  // (dim,) or null
    float *weight_gradient;  // (dim, n_in), set by the backward pass
    float *bias_gradient;  // (dim,), set by the backward pass; null where there is no bias
};

struct Job {
    int64_t n_row, dim, n_layer, n_thread;
    int64_t activation;  // 0 relu, 1 gelu, 2 silu
    int64_t activate_last;  // whether the last layer is followed by activation and dropout too
    int64_t residual;  // whether x is added to the output; needs n_in == dim
    double dropout, epsilon;  // rate at which activations are dropped; epsilon of the LayerNorm
    uint64_t seed;  // of the dropout: the same seed, the same numbers dropped
    const float *x;  // (n_row, n_in)
    const Layer *layers;
    const float *scale, *shift;  // (dim,) each, of the LayerNorm
    const float *first;  // (n_first, dim), null where nothing is added to the first layer
    const int64_t *first_index;  // (n_row,), null where row m takes first[m]
    const float *second;  // (n_second, dim), null exactly where first is
    const int64_t *second_index;  // (n_row,) ascending, null exactly where first is
    int64_t n_first, n_second;
    float *stored;  // (n_row * n_layer * dim,) for the backward pass; null where that computes the layers again
    float *out;  // (n_row, dim)
    float *total;  // (n_second, dim) of zeros, or null
    // (n_second, dim) each, or null: the maximum, and how many rows share it; 0 and 0 of no rows
    float *largest, *n_largest;
    // Of the backward pass: gradients with respect to the outputs of the forward pass ...
    const float *out_gradient, *total_gradient;  // null where there is none
    const float *largest_gradient;  // already divided by n_largest; null where there is none
    // ... and to its inputs: null where not needed. Those of `first` and `second` must be filled with zeros.
    float *x_gradient, *first_gradient, *second_gradient, *scale_gradient, *shift_gradient;
};

// The normalised temperature-scaled cross-entropy (arXiv:2002.05709) of the views of one process, in one thread.
struct Pairs {
    int64_t n, dim;
    double temperature;  // from 1/30, so that exp(similarity / temperature) is a float
    double shortest;  // rows are divided by at least this length
    const float *first, *second;  // (n, dim) each
    double *loss;
    float *gradient;  // (2 n, dim), of the first views, then of the second; null where not needed
};

// out = x^T y, over rows.
struct Cross {
    int64_t n_row, p, q, n_thread;
    const double *x;  // (n_row, p)
    const double *y;  // (n_row, q); where it is x, half of the work is done
    double *out;  // (p, q) of zeros
};

// The gradients that each thread adds up on its own. Weight gradients are transposed, (n_in, dim), layer after layer.
struct Sums {
    float *weights, *biases, *scale, *shift, *first;
};

// Weights in the order in which the inner loops read them: panels of `Form::panel` columns, (n_k, panel) each.
struct Packed {
    const float *forward;  // transposed, one layer after the other
    const float *backward;  // as they are
};

// One set of inner loops, compiled for one instruction set.
struct Form {
    const char *name;
    int64_t width, panel;  // numbers in a vector; columns of a panel
    int64_t (*scratch)(const Job &);  // numbers of scratch space that a thread needs
    void (*forward)(const Job &, const Packed &, int64_t begin, int64_t end, float *scratch);
    void (*backward)(const Job &, const Packed &, int64_t begin, int64_t end, float *scratch, const Sums &);
};

struct PairsForm {
    const char *name;
    int64_t width;
    int64_t (*scratch)(const Pairs &);
    void (*run)(const Pairs &, float *scratch);
};

struct CrossForm {
    const char *name;
    int64_t width;
    void (*run)(const Cross &, int64_t begin, int64_t end, double *out);  // where y is x, only on and above the diagonal
};

// Those for AVX on x86-64 only.
extern const Form form_baseline, form_avx2, form_avx512;
extern const PairsForm pairs_baseline, pairs_avx2, pairs_avx512;
extern const CrossForm cross_baseline, cross_avx2, cross_avx512;

#pragma GCC visibility push(default)
extern "C" {
int64_t root_gnn_interface_size();  // bytes of Job, Layer, Pairs and Cross together
const char *root_gnn_form(int64_t dim);  // the form that runs rows of `dim` floats here; "" where none can
// form: as root_gnn_form names it, or "" for the best. 0 done, 1 out of memory, 2 no form for this width
int root_gnn_forward(const Job *, const char *form);
int root_gnn_backward(const Job *, const char *form);
int root_gnn_nt_xent(const Pairs *, const char *form);
int root_gnn_cross(const Cross *, const char *form);
}
#pragma GCC visibility pop
