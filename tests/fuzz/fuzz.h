#ifndef FUZZ_H
#define FUZZ_H
/*
 * libFuzzer's targets: each file is one, gets bytes, and aborts when a truth
 * does not hold for them. `make fuzz` runs them all for FUZZ_SECONDS each.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TRUTH(what)							\
	do {								\
		if (!(what)) {						\
			fprintf(stderr, "%s:%d: not true: %s\n",	\
			    __FILE__, __LINE__, #what);			\
			abort();					\
		}							\
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#endif
