// Memory that frees itself, aligned for the widest vectors.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace {

struct Free {
    void operator()(void *p) const { std::free(p); }
};
template <class T>
using BlockOf = std::unique_ptr<T, Free>;
using Block = BlockOf<float>;

template <class T = float>
BlockOf<T> room(int64_t n) {
    void *p = nullptr;
    if (posix_memalign(&p, 64, static_cast<size_t>(std::max<int64_t>(n, 1)) * sizeof(T)) != 0) throw std::bad_alloc();
    return BlockOf<T>(static_cast<T *>(p));
}

template <class T = float>
BlockOf<T> zeros(int64_t n) {
    BlockOf<T> block = room<T>(n);
    std::fill_n(block.get(), n, T{});
    return block;
}

}  // namespace
