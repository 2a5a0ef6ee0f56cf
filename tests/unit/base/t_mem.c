/* Arenas, buffers, maps, strings: what everything stands on. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "t.h"

static void arenas(void)
{
	struct arena *a = arena_new();
	char *p[200], *big;
	bool zeroed = true, apart = true;
	VEC(int) v = {0};

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		p[i] = arena_alloc(a, i * 37);
		zeroed = zeroed && (uintptr_t)p[i] % _Alignof(max_align_t) == 0;
		for (size_t k = 0; k < i * 37; k++)
			zeroed = zeroed && !p[i][k];
		memset(p[i], (int)i, i * 37);
	}
	T_OK(zeroed, "what an arena gives is zeroed and aligned");
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		for (size_t k = 0; k < i * 37; k++)
			apart = apart && p[i][k] == (char)i;
	T_OK(apart, "no two pieces of an arena overlap");
	big = arena_alloc(a, (size_t)3 << 20);
	big[((size_t)3 << 20) - 1] = 1;
	T_OK(arena_bytes(a) >= (size_t)3 << 20, "an arena counts what it gave");
	for (int i = 0; i < 1000; i++)
		vec_push(a, &v, i * i);
	T_OK(v.n == 1000 && v.p[0] == 0 && v.p[999] == 999 * 999, "a vector keeps its items while it grows");
	T_STR(arena_printf(a, "%s-%d", "x", 7), "x-7", "an arena formats");
	T_STR(arena_cstr(a, str_sub(STR("abcdef"), 2, 3)), "cde", "a copy of a part ends in a NUL");
	arena_reset(a);
	T_INT(arena_bytes(a), 0, "a reset arena has given nothing");
	T_OK(*(char *)arena_alloc(a, 64) == 0, "after a reset memory is zeroed again");
	arena_free(a);
	arena_free(NULL);
}

static void buffers(void)
{
	struct buf b = BUF_INIT(10);
	struct buf big = BUF_INIT((size_t)1 << 20);

	T_STR(b.p, "", "an empty buffer is an empty C string");
	buf_adds(&b, "12345");
	buf_addf(&b, "%d", 678);
	T_STR(b.p, "12345678", "a buffer holds what was added");
	buf_adds(&b, "9ab");
	T_OK(buf_over(&b) && b.n == 8, "what would pass the ceiling is not added, and it is said");
	buf_adds(&b, "9");
	T_OK(buf_over(&b) && b.n == 8, "a buffer that was over stays so");
	buf_reset(&b);
	buf_adds(&b, "0123456789");
	T_OK(!buf_over(&b) && b.n == 10, "a buffer may be filled to its ceiling exactly");
	buf_consume(&b, 4);
	T_STR(b.p, "456789", "bytes are taken off the front");
	buf_free(&b);
	T_STR(b.p, "", "a freed buffer is empty and usable");
	for (int i = 0; i < 1000; i++)
		buf_addf(&big, "%04d", i);
	T_OK(big.n == 4000 && !memcmp(big.p + 3996, "0999", 5), "a buffer grows");
	buf_addf(&big, "%0500d", 7);
	T_INT(big.n, 4500, "a long formatted piece is whole");
	buf_free(&big);
}

static void maps(void)
{
	struct arena *a = arena_new();
	struct map m;
	struct str key;
	void *value;
	size_t i = 0, seen = 0;
	bool ordered = true, right = true;
	static int numbers[5000];

	map_init(&m, a);
	T_OK(!map_get(&m, STR("x")) && !map_has(&m, STR("")) && !map_del(&m, STR("x")), "an empty map has nothing");
	for (int k = 0; k < 5000; k++)
		map_set(&m, arena_strf(a, "key%d", k), &numbers[k]);
	for (int k = 0; k < 5000; k++)
		right = right && map_get(&m, arena_strf(a, "key%d", k)) == &numbers[k];
	T_OK(right && m.n == 5000, "5000 keys are found");
	T_OK(!map_has(&m, STR("key5000")), "a key that was never set is not found");
	map_set(&m, STR("key7"), &numbers[0]);
	T_OK(map_get(&m, STR("key7")) == &numbers[0] && m.n == 5000, "setting a key again replaces its value");
	for (int k = 0; k < 6; k += 2)
		T_OK(map_del(&m, arena_strf(a, "key%d", k)), "key%d is removed", k);
	T_OK(!map_has(&m, STR("key2")) && map_has(&m, STR("key3")), "a removed key is gone, its neighbour is not");
	map_set(&m, STR("key2"), NULL);
	T_OK(map_has(&m, STR("key2")) && !map_get(&m, STR("key2")), "a key may have no value");
	for (int last = -1; map_each(&m, &i, &key, &value); seen++) {
		int now = (int)(strtol(key.p + 3, NULL, 10));

		ordered = ordered && (now > last || now == 2);
		last = now;
	}
	T_OK(ordered && seen == m.n, "each gives every key once, in the order of insertion");
	map_set(&m, STR(""), &numbers[1]);
	T_OK(map_get(&m, STR("")) == &numbers[1], "the empty text is a key");
	arena_free(a);
}

/* Digits and exponents that are the same each time; every fourth lies half way between two doubles, or right beside. */
static bool reads_as_libc(void)
{
	uint64_t r = 88172645463325252u;

	for (int i = 0; i < 400000; i++) {
		char text[64];
		double d;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		if (i % 4)
			snprintf(text, sizeof(text), "%.*fe%d", (int)(r % 19), (double)(r >> (r % 40)) / 1e12,
			         (int)(r / 64 % 70) - 35);
		else
			snprintf(text, sizeof(text), "%llue%d",
			         (unsigned long long)(((r >> 11 | UINT64_C(1) << 52) << 10 | 512) + r % 3 - 1),
			         (int)(r / 64 % 60) - 30);
		if (!str_to_f64(str_of(text), &d) || d != strtod(text, NULL))
			return false;
	}
	return true;
}

static void numbers_of_text(void)
{
	int64_t i = 42;
	double d = 0;

	T_OK(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN, "the least whole number is read");
	i = 42;
	T_OK(!str_to_i64(STR("9223372036854775808"), &i) && i == 42,
	        "a number too large is refused, the output untouched");
	T_OK(!str_to_i64(STR(""), &i) && !str_to_i64(STR("-"), &i) && !str_to_i64(STR("1 "), &i),
	        "what is no number is refused");
	T_OK(str_to_f64(STR("0.1"), &d) && d == 0.1, "0.1 is read as C reads it");
	T_OK(str_to_f64(STR("123456789012345678901234567890e-10"), &d) && d == 123456789012345678901234567890e-10,
	        "long decimals too");
	T_OK(reads_as_libc(), "numbers of up to 20 digits with exponents are read as C reads them");
	T_OK(str_to_f64(STR("5e-324"), &d) && d == 5e-324, "the smallest number is read");
	T_OK(str_to_f64(STR("-0.0"), &d) && d == 0 && 1 / d < 0, "minus zero keeps its sign");
	T_OK(!str_to_f64(STR("1e999"), &d) && !str_to_f64(STR("nan"), &d) && !str_to_f64(STR("0x1"), &d) &&
	        !str_to_f64(STR("1e"), &d),
	     "infinity, nan, hex and half an exponent are refused");
}

static void strings(void)
{
	struct str head, tail, rest = STR("a\r\nb\n\nc"), line;
	struct str near[] = {STR("schedule"), STR("partition"), STR("inputs")};
	char shown[STR_SHOW];
	char lines[64] = "";

	T_OK(str_cut(STR("a/b/c"), '/', &head, &tail) && str_is(head, "a") && str_is(tail, "b/c"),
	        "cut splits at the first");
	T_OK(str_rcut(STR("a/b/c"), '/', &head, &tail) && str_is(head, "a/b") && str_is(tail, "c"),
	        "rcut splits at the last");
	T_OK(!str_cut(STR("abc"), '/', &head, &tail) && str_is(head, "a/b"),
	        "without the separator nothing is touched");
	while (str_next_line(&rest, &line)) {
		strncat(lines, line.p, line.n);
		strcat(lines, "|");
	}
	T_STR(lines, "a|b||c|", "lines end in LF or CRLF, the last one in neither");
	T_OK(str_is(str_trim(STR(" \t a b\r\n")), "a b") && !str_trim(STR(" \n")).n,
	        "blanks are trimmed off both ends");
	T_INT(str_cmp(STR("ab"), STR("abc")), -1, "a prefix is less");
	T_INT(str_cmp(STR("b"), STR("\xc3\xa9")), -1, "bytes compare without sign");
	T_INT(str_columns(STR("a\xc3\xa9\xe6\x97\xa5"
	                      "e\xcc\x81")),
	      5, "wide characters are two columns, combining ones none");
	T_OK(str_is_utf8(STR("\xf0\x9f\x98\x80")) && !str_is_utf8(STR("\xc0\xaf")) && !str_is_utf8(STR("\xed\xa0\x80")),
	     "overlong forms and surrogates are no UTF-8");
	T_INT(str_nearest(STR("shedule"), near, 3), 0, "a lost letter is near");
	T_INT(str_nearest(STR("partitoin"), near, 3), 1, "two swapped letters are near");
	T_INT(str_nearest(STR("banana"), near, 3), -1, "another word is not");
	T_INT(str_nearest(STR("x"), near, 3), -1, "one letter is near to nothing");
	T_INT(str_distance(STR("ca"), STR("ac")), 1, "a transposition is one step");
	T_STR(str_show(STR("a\x1b[31m\xff"), shown, sizeof(shown)), "a?[31m?", "control bytes do not reach a terminal");
	T_STR(str_show(STR("abcdefghijkl"), shown, 10), "abcdef...", "what is too long is cut");
}

int main(void)
{
	arenas();
	buffers();
	maps();
	numbers_of_text();
	strings();
	return t_done();
}
