#define WIDTH 4
#define VECTORS 2
#include "rows.h"

extern const Form form_baseline{"baseline", kWidth, kPanel, scratch_size, forward_rows, backward_rows};
