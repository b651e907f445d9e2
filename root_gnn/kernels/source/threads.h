// Work shared among threads; callers add up the results in a fixed order, so that the same input gives the same bits.

#pragma once

#include <cstdint>
#include <thread>
#include <vector>

namespace {

// Runs work(i) for all i < n, each in a thread of its own, the first in this one.
template <class Work>
void in_threads(int64_t n, const Work &work) {
    std::vector<std::thread> threads;
    threads.reserve(static_cast<size_t>(n));
    int64_t started = 1;
    try {
        for (; started < n; started++) threads.emplace_back(work, started);
    } catch (...) {  // no more threads are available: this one does the rest
    }
    work(0);
    for (int64_t i = started; i < n; i++) work(i);
    for (std::thread &thread : threads) thread.join();
}

template <class T>
void add(const T *from, int64_t n, T *to) {
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

}  // namespace
