// The contrastive loss of pairs of views. The matrix of similarities s is symmetric, so half of it is computed; with
// e = exp(s - 1 / T) and its row sums r, the gradient of all unit rows is one product with e_ij (1 / r_i + 1 / r_j),
// minus 2 where i and j are partners.

#pragma once

#include <cmath>

#include "functions.h"
#include "interface.h"
#include "product.h"

namespace {

constexpr int64_t kBand = 64;  // rows of similarities that are computed at once, a multiple of every panel

static_assert(kBand % kPanel == 0, "bands begin where panels begin");

INLINE float dot(const float *a, const float *b, int64_t n) {
    Vec total = {};
    for (int64_t i = 0; i < n; i += kWidth) total += load(a + i) * load(b + i);
    return sum(total);
}

// Rows, rounded up to whole vectors.
int64_t padded(const Pairs &job) { return (2 * job.n + kWidth - 1) / kWidth * kWidth; }

int64_t pairs_scratch(const Pairs &job) { return padded(job) * (padded(job) + 3 * job.dim + 2) + 2 * job.n; }

struct Similarities {
    explicit Similarities(const Pairs &pairs, float *scratch)
        : job(pairs), n(2 * pairs.n), wide(padded(pairs)), dim(pairs.dim), each(scratch), rows(each + wide * wide),
          panels(rows + wide * dim), gradient(panels + wide * dim), sums(gradient + wide * dim), inverse(sums + wide), scale(inverse + wide) {}

    const Pairs &job;
    int64_t n, wide, dim;
    float *each;  // (wide, wide), from the band of a row on
    float *rows, *panels, *gradient;  // (wide, dim): of length T^-1/2; the same as columns in panels; of the loss
    float *sums, *inverse;  // (wide,)
    float *scale;  // (n,): what a row was multiplied by

    int64_t partner(int64_t row) const { return row < job.n ? row + job.n : row - job.n; }
    int64_t size(int64_t begin) const { return n - begin < kBand ? n - begin : kBand; }

    void make_rows() {
        for (int64_t i = 0; i < wide * dim; i++) rows[i] = 0.0f;
        for (int64_t i = 0; i < n; i++) {
            const float *from = i < job.n ? job.first + i * dim : job.second + (i - job.n) * dim;
            const double length = std::sqrt(static_cast<double>(dot(from, from, dim)));
            scale[i] = static_cast<float>(1.0 / std::sqrt(job.temperature) / (length > job.shortest ? length : job.shortest));
            for (int64_t k = 0; k < dim; k += kWidth) store(rows + i * dim + k, load(from + k) * scale[i]);
        }
        float *to = panels;
        for (int64_t begin = 0; begin < wide; begin += kPanel) {
            const int64_t end = begin + kPanel < wide ? begin + kPanel : wide;
            for (int64_t k = 0; k < dim; k++)
                for (int64_t i = begin; i < end; i++) *to++ = rows[i * dim + k];
        }
    }

    void make_sums() {
        const float largest = static_cast<float>(1.0 / job.temperature);
        for (int64_t i = 0; i < wide; i++) sums[i] = 0.0f;
        for (int64_t begin = 0; begin < n; begin += kBand) {
            float *band = each + begin * wide;
            product<kNothing>(size(begin), dim, wide - begin, {rows + begin * dim, dim, 1}, panels + begin * dim, 0, {band + begin, wide, false});
            for (int64_t i = begin; i < begin + size(begin); i++) {
                float *row = each + i * wide;
                for (int64_t j = begin; j < wide; j += kWidth) store(row + j, exponential(load(row + j) - largest));
                row[i] = 0.0f;
                for (int64_t j = n; j < wide; j++) row[j] = 0.0f;
                Vec total = {};
                for (int64_t j = begin; j < wide; j += kWidth) total += load(row + j);
                sums[i] += sum(total);
                for (int64_t j = begin + kBand; j < wide; j += kWidth) store(sums + j, load(sums + j) + load(row + j));
            }
        }
    }

    double loss() const {
        double total = 0.0;
        for (int64_t i = 0; i < n; i++)
            total += std::log(static_cast<double>(sums[i])) + 1.0 / job.temperature - dot(rows + i * dim, rows + partner(i) * dim, dim);
        return total / static_cast<double>(n);
    }

    void make_gradient() {
        for (int64_t i = 0; i < wide; i++) inverse[i] = i < n ? 1.0f / sums[i] : 0.0f;
        for (int64_t i = 0; i < wide * dim; i++) gradient[i] = 0.0f;
        for (int64_t begin = 0; begin < n; begin += kBand) {
            const int64_t after = begin + kBand;
            float *band = each + begin * wide;
            for (int64_t i = begin; i < begin + size(begin); i++) {
                float *row = each + i * wide;
                for (int64_t j = begin; j < wide; j += kWidth) store(row + j, load(row + j) * (load(inverse + j) + inverse[i]));
                if (partner(i) >= begin) row[partner(i)] -= 2.0f;
            }
            product<kNothing>(
                size(begin), wide - begin, dim, {band + begin, wide, 1}, rows + begin * dim, dim, {gradient + begin * dim, dim, true});
            if (after < wide)
                product<kNothing>(
                    wide - after, size(begin), dim, {band + after, 1, wide}, rows + begin * dim, dim, {gradient + after * dim, dim, true});
        }
    }

    // The gradient through the division by the length, which removes the component along the row.
    void hand_out() const {
        for (int64_t i = 0; i < n; i++) {
            const float *from = gradient + i * dim, *row = rows + i * dim;
            const float along = static_cast<float>(job.temperature) * dot(from, row, dim), by = scale[i] / static_cast<float>(n);
            for (int64_t k = 0; k < dim; k += kWidth) store(job.gradient + i * dim + k, (load(from + k) - along * load(row + k)) * by);
        }
    }
};

void run_pairs(const Pairs &job, float *scratch) {
    Similarities similarities(job, scratch);
    similarities.make_rows();
    similarities.make_sums();
    *job.loss = similarities.loss();
    if (!job.gradient) return;
    similarities.make_gradient();
    similarities.hand_out();
}

}  // namespace
