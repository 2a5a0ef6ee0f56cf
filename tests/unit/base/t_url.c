#include "base/str.h"
#include "base/url.h"
#include "t.h"

static void redacts(struct arena *a)
{
	static const struct {
		const char *in, *want;
	} all[] = {
		{"https://example.org/a?b=c@d", "https://example.org/a?b=c@d"},
		{"https://joe:pw@example.org/a", "https://***@example.org/a"},
		{"https://token@example.org/a", "https://***@example.org/a"},
		{"https://joe:p@w@example.org/a@b", "https://***@example.org/a@b"},
		{"https://joe:p/w@example.org/a", "https://***@example.org/a"},
		{"http://h:80/a@b", "http://h:80/a@b"},
		{"http://[::1]:80/a@b", "http://[::1]:80/a@b"},
		{"from http://u:p@a/x to \"http://v:q@b/y\"", "from http://***@a/x to \"http://***@b/y\""},
		{"://", "://"},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		T_STR(arena_cstr(a, url_redact(a, str_of(all[i].in))), all[i].want,
		      "a password is hidden where there is one (text %zu)", i);
}

static void splits(struct arena *a)
{
	struct url u;

	T_OK(url_split(STR("https://u:p@[::1]:80/a/b?c#d"), &u), "a URL has parts");
	T_STR(arena_cstr(a, u.user), "u:p", "its user");
	T_STR(arena_cstr(a, u.host), "[::1]", "its host, with colons of its own");
	T_STR(arena_cstr(a, u.port), "80", "its port");
	T_STR(arena_cstr(a, u.path), "/a/b", "its path");
	T_STR(arena_cstr(a, u.query), "c", "its query, without the fragment");
	T_OK(url_split(STR("file:a/b"), &u) && !u.host.p, "a URL may have no host");
	T_STR(arena_cstr(a, u.path), "a/b", "... and a relative path");
	T_OK(!url_split(STR("a/b:c"), &u), "what has no scheme is none");
	T_STR(arena_cstr(a, url_decode(a, STR("a%20b%2Fc%zz%4"))), "a b/c%zz%4",
	      "%%20 is a blank; what is no triple stays");
}

int main(void)
{
	struct arena *a = arena_new();

	redacts(a);
	splits(a);
	arena_free(a);
	return t_done();
}
