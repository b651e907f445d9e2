#define WIDTH 16
#define VECTORS 4
#include "nt_xent.h"
#include "rows.h"

extern const Form form_avx512{"avx512", kWidth, kPanel, scratch_size, forward_rows, backward_rows};
extern const PairsForm pairs_avx512{"avx512", kWidth, pairs_scratch, run_pairs};
