#define WIDTH 4
#define VECTORS 2
#include "nt_xent.h"
#include "rows.h"

extern const Form form_baseline{"baseline", kWidth, kPanel, scratch_size, forward_rows, backward_rows};
extern const PairsForm pairs_baseline{"baseline", kWidth, pairs_scratch, run_pairs};
