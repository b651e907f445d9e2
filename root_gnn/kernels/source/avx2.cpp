#define WIDTH 8
#define VECTORS 2
#include "rows.h"

extern const Form form_avx2{"avx2", kWidth, kPanel, scratch_size, forward_rows, backward_rows};
