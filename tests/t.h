/*
 * tests/t.h: the harness of C tests. Prints TAP (tests/run reads it), goes on after a failure, names file:line.
 *
 *	int main(void)
 *	{
 *		T_OK(buf_len(&b) == 3, "a buffer knows its length after %d bytes", 3);
 *		T_STR(buf_cstr(&b), "abc", "bytes come back as they were put in");
 *		return t_done();
 *	}
 *
 * The text after the condition is a sentence in printf form: what is true when the test passes. Each macro evaluates
 * its arguments once and returns true when it held, so that `if (!T_INT(f(), 0, "...")) return t_done();` can stop
 * early.
 */
#ifndef LEAT_TESTS_T_H
#define LEAT_TESTS_T_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int t_count, t_failed;

/* A test program that forgets t_done() prints no plan; tests/run counts that as a failure. */
static inline int t_done(void)
{
	printf("1..%d\n", t_count);
	return t_failed ? 1 : 0;
}

/* Before the first test only: the whole program is skipped, and says why. */
#define T_SKIP_ALL(...)                                                                                                \
	do {                                                                                                           \
		printf("1..0 # SKIP ");                                                                                \
		printf(__VA_ARGS__);                                                                                   \
		printf("\n");                                                                                          \
		exit(0);                                                                                               \
	} while (0)

printf_like(4, 5) static inline bool t_ok(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", ok ? "" : "not ", ++t_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok) {
		t_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout); /* what was printed before a crash is kept, and children do not print it twice */
	return ok;
}

/* A diagnostic of several lines stays a TAP comment. */
static inline void t_diag(const char *label, const char *text)
{
	printf("# %s: ", label);
	for (; text && *text; text++)
		*text == '\n' ? printf("\n#   ") : putchar(*text);
	printf("%s\n", text ? "" : "(null)");
	fflush(stdout);
}

#define T_OK(cond, ...) t_ok((cond), __FILE__, __LINE__, __VA_ARGS__)

/* Both are C strings; NULL equals only NULL. */
#define T_STR(got, want, ...)                                                                                          \
	({                                                                                                             \
		const char *t_got = (got), *t_want = (want);                                                           \
		bool t_same = t_got && t_want ? !strcmp(t_got, t_want) : t_got == t_want;                              \
		t_ok(t_same, __FILE__, __LINE__, __VA_ARGS__);                                                         \
		if (!t_same) {                                                                                         \
			t_diag(" got", t_got);                                                                         \
			t_diag("want", t_want);                                                                        \
		}                                                                                                      \
		t_same;                                                                                                \
	})

#define T_INT(got, want, ...)                                                                                          \
	({                                                                                                             \
		long long t_got = (long long)(got), t_want = (long long)(want);                                        \
		t_ok(t_got == t_want, __FILE__, __LINE__, __VA_ARGS__);                                                \
		if (t_got != t_want)                                                                                   \
			printf("#  got: %lld\n# want: %lld\n", t_got, t_want);                                         \
		t_got == t_want;                                                                                       \
	})

/* `e` is a struct err *: filled with that code, its message or hint (or "file:line:col") holding the substring. */
#define T_ERR(e, want_code, substring, ...)                                                                            \
	({                                                                                                             \
		const struct err *t_e = (e);                                                                           \
		char t_all[8192];                                                                                      \
		snprintf(t_all, sizeof(t_all), "%s:%d:%d: %s (%s)", t_e->file, t_e->line, t_e->col, t_e->msg,          \
			 t_e->hint);                                                                                   \
		bool t_held = t_e->code == (want_code) && strstr(t_all, (substring));                                  \
		t_ok(t_held, __FILE__, __LINE__, __VA_ARGS__);                                                         \
		if (!t_held) {                                                                                         \
			printf("#  got: code %d, want %d (%s)\n", t_e->code, (want_code), #want_code);                 \
			t_diag(" got", t_all);                                                                         \
			t_diag("want", (substring));                                                                   \
		}                                                                                                      \
		t_held;                                                                                                \
	})

/* For a call that must succeed: shows the message when it did not. */
#define T_NO_ERR(call, e, ...)                                                                                         \
	({                                                                                                             \
		bool t_fine = (call) == 0;                                                                             \
		t_ok(t_fine, __FILE__, __LINE__, __VA_ARGS__);                                                         \
		if (!t_fine)                                                                                           \
			t_diag("error", (e)->msg);                                                                     \
		t_fine;                                                                                                \
	})

#endif
