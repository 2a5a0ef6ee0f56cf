/*
 * tests/fuzz/fuzz.h: one entry per parser. The same file is built twice: with libFuzzer (-Dfuzz=true, clang), and
 * with replay.c as a TAP program that runs over tests/fuzz/corpus/NAME/ in every `make test`. What the fuzzer finds
 * goes into that folder. An input may be refused, never crash, hang, leak or break an invariant (FUZZ_HOLDS).
 */
#ifndef LEAT_TESTS_FUZZ_H
#define LEAT_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_HOLDS(cond)                                                                                               \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);                      \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* A refusal is a sentence with a code; success leaves the error as it was. */
static inline void fuzz_answered(int rc, const struct err *e)
{
	FUZZ_HOLDS(rc == 0 ? e->code == ERR_NONE : e->code != ERR_NONE && e->msg[0]);
}

/* The input up to its first newline, and the rest. */
static inline struct str fuzz_line(struct str *rest)
{
	const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line = {rest->p, nl ? (size_t)(nl - rest->p) : rest->n};

	*rest = nl ? (struct str){nl + 1, rest->n - line.n - 1} : (struct str){rest->p + rest->n, 0};
	return line;
}

#endif
