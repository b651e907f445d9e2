// x^T y in blocks of rows that stay in cache while all their products are added.

#pragma once

#include "interface.h"
#include "product.h"

namespace {

constexpr int64_t kChunk = 64;  // rows

// Adds the rows from begin to end; where y is x, to the columns from the diagonal on.
void cross_rows(const Cross &job, int64_t begin, int64_t end, double *out) {
    for (int64_t row = begin; row < end; row += kChunk) {
        const int64_t n_row = end - row < kChunk ? end - row : kChunk;
        for (int64_t column = 0; column < job.q; column += kPanel) {
            const int64_t wide = job.q - column < kPanel ? job.q - column : kPanel;
            const int64_t n_left = job.x == job.y ? column + wide : job.p;
            const double *y = job.y + row * job.q + column;
            product<kNothing>(n_left, n_row, wide, {job.x + row * job.p, 1, job.p}, y, job.q, {out + column, job.q, true});
        }
    }
}

}  // namespace
