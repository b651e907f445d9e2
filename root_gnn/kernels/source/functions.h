// Functions of vectors of floats: sums, exponential, activations, random numbers.

#pragma once

#include "vector.h"

namespace {

typedef int32_t Int __attribute__((vector_size(4 * WIDTH)));

INLINE Int bits(Vec v) { return reinterpret_cast<Int>(v); }
INLINE Vec number(Int v) { return reinterpret_cast<Vec>(v); }

// Adds halves until two numbers are left.
template <int N>
struct Sum {
    typedef float All __attribute__((vector_size(4 * N)));
    typedef float Half __attribute__((vector_size(2 * N)));
    INLINE float of(All v) {
        Half half[2];
        __builtin_memcpy(half, &v, sizeof v);
        return Sum<N / 2>::of(half[0] + half[1]);
    }
};

template <>
struct Sum<2> {
    typedef float All __attribute__((vector_size(8)));
    INLINE float of(All v) { return v[0] + v[1]; }
};

INLINE float sum(Vec v) { return Sum<kWidth>::of(v); }

INLINE Vec clamp(Vec v, float low, float high) {
    v = all(low) > v ? all(low) : v;
    return v > all(high) ? all(high) : v;
}

// e^v by 2^n e^r with |r| <= ln 2 / 2 (polynomial of Cephes' expf, Moshier 1989); 1 ulp or so.
INLINE Vec exponential(Vec v) {
    constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
    v = clamp(v, -87.0f, 88.0f);
    const Vec shifted = v * 1.44269504f + kRound;
    const Vec n = shifted - kRound;
    const Vec r = (v - n * 0.693359375f) + n * 2.12194440e-4f;
    Vec p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return number(bits(p) + (bits(shifted) << 23));
}

struct Activated {
    Vec value, slope;
};

// x (1 + erf(x / sqrt 2)) / 2 and its derivative; erf by Abramowitz, Stegun 7.1.26 (error below 1.5e-7), whose
// exponential is the derivative's as well.
INLINE Activated gelu(Vec x) {
    const Vec size = (Vec{} > x ? -x : x) * 0.70710678f;
    const Vec t = 1.0f / (1.0f + 0.3275911f * size);
    const Vec bell = exponential(-0.5f * x * x);
    Vec p = all(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vec tail = 0.5f * p * t * bell;
    const Vec below = Vec{} > x ? tail : 1.0f - tail;  // the normal distribution up to x
    return {x * below, below + 0.39894228f * x * bell};
}

INLINE Activated silu(Vec x) {
    const Vec gate = 1.0f / (1.0f + exponential(-x));
    return {x * gate, gate * (1.0f + x * (1.0f - gate))};
}

// 64 well mixed bits (SplitMix64, Steele, Lea, Flood 2014).
INLINE uint64_t mixed(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// A random number of 24 bits for each of the columns from `column` on (MurmurHash3's finaliser of key and column).
INLINE Int random24(uint32_t key, int column) {
    Int h;
    for (int i = 0; i < kWidth; i++) h[i] = static_cast<int32_t>(key + 0x9e3779b9u * static_cast<uint32_t>(column + i));
    typedef uint32_t Unsigned __attribute__((vector_size(4 * WIDTH)));
    Unsigned u = reinterpret_cast<Unsigned>(h);
    u ^= u >> 16;
    u *= 0x85ebca6bu;
    u ^= u >> 13;
    u *= 0xc2b2ae35u;
    u ^= u >> 16;
    return reinterpret_cast<Int>(u >> 8);
}

}  // namespace
