#include <string.h>

#include "base/name.h"
#include "base/str.h"
#include "base/url.h"
#include "job/download.h"

bool download_unpack_of(struct str word, enum download_unpack *out)
{
	static const char *const words[] = {"none", "gunzip", "unzip", "untar"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(word, words[i])) {
			*out = (enum download_unpack)i;
			return true;
		}
	return false;
}

static bool begins_with_template(struct str s)
{
	return str_has_prefix(s, STR("{{")) || str_has_prefix(s, STR("{%"));
}

static int check_file(struct str text, const struct url *u, struct err *e)
{
	if (u->host.n && !str_is(u->host, "localhost")) {
		err_set(e, ERR_BAD_CONFIG, "%s names the machine %s: a file: URL is of this one", STR_SHOWN(text),
		        STR_SHOWN(u->host));
		return err_hint(e, "file:///absolute/path, or file:path/from/the/workspace");
	}
	if (!u->path.n)
		return err_set(e, ERR_BAD_CONFIG, "%s names no file", STR_SHOWN(text));
	return 0;
}

int download_url_check(struct str text, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct str shown = url_redact(a, text);
	struct url u;

	if (begins_with_template(text))
		return 0;
	for (size_t i = 0; i < text.n; i++)
		if ((uint8_t)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return err_set(e, ERR_BAD_CONFIG, "the URL %s holds a control character", STR_SHOWN(shown));
	if (!url_split(text, &u)) {
		err_set(e, ERR_BAD_CONFIG, "%s is no URL", STR_SHOWN(shown));
		return err_hint(e, "https://..., http://..., ftp://..., file:///absolute/path, or file:path/from/the/workspace");
	}
	if (str_is(u.scheme, "file"))
		return check_file(shown, &u, e);
	if (!str_is(u.scheme, "http") && !str_is(u.scheme, "https") && !str_is(u.scheme, "ftp") &&
	    !str_is(u.scheme, "ftps")) {
		err_set(e, ERR_BAD_CONFIG, "%s: a download reads http, https, ftp, ftps and file, not %s",
		        STR_SHOWN(shown), STR_SHOWN(u.scheme));
		return err_hint(e, "a job of kind script can run any program that fetches it");
	}
	if (!u.host.n)
		return err_set(e, ERR_BAD_CONFIG, "%s names no host", STR_SHOWN(shown));
	return 0;
}

static struct str last_part(struct arena *a, struct str url)
{
	struct url u;
	struct str head, tail;

	if (!url_split(url, &u))
		return STR_NULL;
	return url_decode(a, str_rcut(u.path, '/', &head, &tail) ? tail : u.path);
}

static struct str without_gz(struct arena *a, struct str name)
{
	if (str_has_suffix(name, STR(".tgz")))
		return arena_strf(a, "%.*s.tar", (int)name.n - 4, name.p);
	return str_has_suffix(name, STR(".gz")) && name.n > 3 ? str_sub(name, 0, name.n - 3) : name;
}

int download_url_name(struct arena *a, struct str url, struct str name, enum download_unpack how, const char **out,
                      struct err *e)
{
	char path[NAME_MAX_PATH + 1];
	bool given = name.n > 0, folder = false;
	size_t n;
	struct str want = given ? name : last_part(a, url), shown = url_redact(a, url);

	if (!given && how == UNPACK_GUNZIP)
		want = without_gz(a, want);
	if (!given && (!want.n || str_is(want, ".") || str_is(want, "..") || memchr(want.p, '/', want.n))) {
		err_set(e, ERR_BAD_NAME, "%s ends in no name for a file", STR_SHOWN(shown));
		return err_hint(e, "say one: name: data.csv");
	}
	if (name_path(want, path, &n, &folder, e)) {
		if (!given)
			err_hint(e, "say another one: name: data.csv");
		return err_wrap(e, "%s", given ? "name" : STR_SHOWN(shown));
	}
	if (!n || folder)
		return err_set(e, ERR_BAD_NAME, "name: \"%s\" is a folder, not a file", STR_SHOWN(want));
	*out = arena_cstr(a, (struct str){path, n});
	return 0;
}

bool download_size(struct str text, int64_t *out)
{
	static const struct {
		const char *word;
		int64_t times;
	} units[] = {
		{"", 1},          {"B", 1},           {"kB", 1000},           {"KB", 1000},
		{"MB", 1000000},  {"GB", 1000000000}, {"TB", 1000000000000},  {"KiB", 1 << 10},
		{"MiB", 1 << 20}, {"GiB", 1 << 30},   {"TiB", (int64_t)1 << 40},
	};
	size_t digits = 0;
	int64_t n;

	text = str_trim(text);
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (!str_to_i64(str_sub(text, 0, digits), &n) || n < 1)
		return false;
	text = str_trim(str_sub(text, digits, text.n));
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_is(text, units[i].word) && n <= INT64_MAX / units[i].times) {
			*out = n * units[i].times;
			return true;
		}
	return false;
}
