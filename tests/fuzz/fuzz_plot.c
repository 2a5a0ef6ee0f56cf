#include "base/str.h"
#include "fuzz.h"
#include "plot/plot_in.h"

/* No place is so far outside that it can only be what a number that is none became. */
static bool inside(const char *svg)
{
	for (const char *d = strstr(svg, " d=\""); d; d = strstr(d, " d=\"")) {
		int digits = 0;

		for (d += 4; *d && *d != '"' && digits < 7; d++)
			digits = *d >= '0' && *d <= '9' ? digits + 1 : 0;
		if (digits >= 7)
			return false;
	}
	return true;
}

/* Types by the first byte, the kind by the second; then rows a line, cells parted by '|', '~' for null. */
static void draw(struct arena *a, enum plot_kind kind, unsigned how, struct str rows)
{
	static const char *const types[] = {"DOUBLE", "VARCHAR", "DATE", "TIMESTAMP"};
	struct str names[3] = {STR("x"), STR("y\033<"), STR("z")}, of[3], line, cell, cells[3];
	struct plot_ask ask = {.kind = kind};
	struct plot_screen screen = {.width = 20 + how % 100, .height = how % 20, .utf8 = how & 1};
	struct buf out = BUF_INIT(PLOT_MAX_BYTES);
	struct err e = ERR_INIT;
	size_t n = 1 + how % 3;
	struct plot *p;

	for (size_t i = 0; i < n; i++)
		of[i] = str_of(types[how >> 2 * i & 3]);
	if (plot_new(a, &ask, names, of, n, &p, &e))
		return;
	while (str_next_line(&rows, &line)) {
		for (size_t i = 0; i < n; i++) {
			if (!str_cut(line, '|', &cell, &line)) {
				cell = line;
				line = STR("");
			}
			cells[i] = str_is(cell, "~") ? STR_NULL : cell;
		}
		if (plot_row(p, cells, &e))
			return;
	}
	if (plot_make(p, &e))
		return;
	plot_text(p, &screen, &out);
	FUZZ_HOLDS(!memchr(out.p, '\033', out.n));
	buf_reset(&out);
	plot_svg(p, how & 2 ? 0 : 100 + how, 0, &out);
	FUZZ_HOLDS(str_has_suffix(buf_str(&out), STR("</svg>\n")) && !memchr(out.p, '\033', out.n) && inside(out.p));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();

	if (n > 2)
		draw(a, (enum plot_kind)(data[1] % PLOT_KINDS), data[0], (struct str){(const char *)data + 2, n - 2});
	arena_free(a);
	return 0;
}
