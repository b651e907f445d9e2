#define WIDTH 8
#define VECTORS 2
#include "nt_xent.h"
#include "rows.h"

extern const Form form_avx2{"avx2", kWidth, kPanel, scratch_size, forward_rows, backward_rows};
extern const PairsForm pairs_avx2{"avx2", kWidth, pairs_scratch, run_pairs};
