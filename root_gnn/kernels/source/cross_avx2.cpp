#define NUMBER double
#define WIDTH 4
#define VECTORS 2
#include "cross.h"

extern const CrossForm cross_avx2{"avx2", kWidth, cross_rows};
