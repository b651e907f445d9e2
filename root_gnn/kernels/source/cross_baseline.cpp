#define NUMBER double
#define WIDTH 2
#define VECTORS 2
#include "cross.h"

extern const CrossForm cross_baseline{"baseline", kWidth, cross_rows};
