//! Not WGSL at all.
//! error: expected
//! line: 5

#include <stdio.h>
int main(void) { return 0; }
