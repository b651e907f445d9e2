// Vectors of WIDTH numbers, floats unless NUMBER is defined. Included once by each form, after WIDTH is defined.
// Everything is in an unnamed namespace, so that the linker cannot replace a function for an older processor by its
// twin for a newer one.

#pragma once

#include <cstdint>

#ifndef NUMBER
#define NUMBER float
#endif

namespace {

constexpr int kWidth = WIDTH;

typedef NUMBER Number;
typedef Number Vec __attribute__((vector_size(sizeof(Number) * WIDTH)));
typedef Number Anywhere __attribute__((vector_size(sizeof(Number) * WIDTH), aligned(sizeof(Number)), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE Vec load(const Number *p) { return *reinterpret_cast<const Anywhere *>(p); }
INLINE void store(Number *p, Vec v) { *reinterpret_cast<Anywhere *>(p) = v; }
INLINE Vec all(Number x) { return x - Vec{}; }
INLINE Vec positive(Vec v) { return Vec{} > v ? Vec{} : v; }  // in this order NaN stays NaN

}  // namespace
