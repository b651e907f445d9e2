#define NUMBER double
#define WIDTH 8
#define VECTORS 4
#include "cross.h"

extern const CrossForm cross_avx512{"avx512", kWidth, cross_rows};
