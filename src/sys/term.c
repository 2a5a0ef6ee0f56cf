#include "sys/term.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"

#define LEAST_COLUMNS 20
#define MOST_COLUMNS 10000

bool term_is_tty(int fd)
{
	return isatty(fd);
}

/* A variable that is a sensible number, else 0. */
static unsigned from_env(const char *name)
{
	int64_t n;

	return str_to_i64(str_of(getenv(name)), &n) && n > 0 && n <= MOST_COLUMNS ? (unsigned)n : 0;
}

unsigned term_columns(int fd)
{
	struct winsize w;
	unsigned n = from_env("COLUMNS");

	if (!n && !ioctl(fd, TIOCGWINSZ, &w))
		n = w.ws_col;
	return n ? MAX(n, LEAST_COLUMNS) : 80;
}

unsigned term_rows(int fd)
{
	struct winsize w;
	unsigned n = from_env("LINES");

	if (!n && !ioctl(fd, TIOCGWINSZ, &w))
		n = w.ws_row;
	return n ? n : 24;
}

static bool is_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

bool term_colour(int fd)
{
	const char *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (is_set("NO_COLOR"))
		return false;
	if (force && *force && strcmp(force, "0"))
		return true;
	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

static bool there(const char *program)
{
	const char *path = getenv("PATH");
	char full[4096];

	while (path && *path) {
		size_t n = strcspn(path, ":"), len = strlen(program);

		if (n && n + len + 2 < sizeof(full)) {
			memcpy(full, path, n);
			full[n] = '/';
			memcpy(full + n + 1, program, len + 1);
			if (!access(full, X_OK))
				return true;
		}
		path += n + (path[n] == ':');
	}
	return false;
}

const char *term_pager(void)
{
	const char *pager = getenv("LEAT_PAGER");

	if (!isatty(STDOUT_FILENO))
		return NULL;
	if (!pager)
		pager = getenv("PAGER");
	if (!pager)
		pager = there("less") ? "less -FRSX" : NULL;
	return pager && *pager && strcmp(pager, "cat") ? pager : NULL;
}

bool term_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (is_set(names[i]))
			return strcasestr(getenv(names[i]), "utf-8") || strcasestr(getenv(names[i]), "utf8");
	return false;
}
