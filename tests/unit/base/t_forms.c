#include "base/forms.h"
#include "t.h"

/* Whether one of the forms of `found` is `original`, given in pieces of so many bytes. */
static bool known(struct str original, struct str found, size_t piece)
{
	struct sha want = sha_of(original.p, original.n);
	struct form all[FORMS_MAX], was;
	struct forms *f = forms_new();
	size_t n;

	for (size_t i = 0; i < found.n; i += piece)
		forms_add(f, found.p + i, MIN(piece, found.n - i));
	n = forms_end(f, all, &was);
	for (size_t i = 0; i < n; i++)
		if (sha_eq(&all[i].id, &want))
			return true;
	return false;
}

static void pair(const char *what, struct str a, struct str b, bool want)
{
	for (size_t piece = 1; piece < 8; piece++)
		T_OK(known(a, b, piece) == want, "%s, %zu bytes at a time", what, piece);
	T_OK(known(a, b, 1 << 20) == want, "%s, at once", what);
}

int main(void)
{
	struct form all[FORMS_MAX], was;
	struct forms *f;

	pair("CRLF is found as LF", STR("a,b\r\nc\r\n"), STR("a,b\nc\n"), true);
	pair("LF is found as CRLF", STR("a,b\nc\n"), STR("a,b\r\nc\r\n"), true);
	pair("without the last newline", STR("a\nb\n"), STR("a\nb"), true);
	pair("with one more at the end", STR("a\nb"), STR("a\nb\n"), true);
	pair("several newlines at the end stay as many", STR("a\n\n\n"), STR("a\r\n\r\n\r\n"), true);
	pair("empty lines in the middle stay", STR("a\n\n\nb\n"), STR("a\r\n\r\n\r\nb"), true);
	pair("with a byte order mark", STR("a\nb\n"),
	     STR("\xef\xbb\xbf"
	         "a\r\nb\r\n"),
	     true);
	pair("without its byte order mark",
	     STR("\xef\xbb\xbf"
	         "a\n"),
	     STR("a"), true);
	pair("what begins as a mark and is none",
	     STR("\xef\xbb"
	         "a\n"),
	     STR("\xef\xbb"
	         "a"),
	     true);
	pair("a lone CR is no line end", STR("a\rb\n"), STR("a\rb"), true);
	pair("CR CR LF loses one CR", STR("a\r\nb\n"), STR("a\r\r\nb\n"), true);
	pair("... and one only", STR("a\nb\n"), STR("a\r\r\nb\n"), false);
	pair("a CRLF cut in two at the end", STR("a\r\nb\r\n"), STR("a\r\nb\r"), true);
	pair("another letter", STR("a\nb\n"), STR("a\nc\n"), false);
	pair("an empty line less", STR("a\n\nb\n"), STR("a\nb\n"), false);
	pair("a zero byte: no text", STR("a\0b\n"), STR("a\0b"), false);
	f = forms_new();
	forms_add(f, "\xef\xbb\xbfx\r\n", 6);
	T_OK(forms_end(f, all, &was) == 8 && was.crlf && was.bom && was.newlines == 1, "how the text itself was");
	struct sha a = forms_plain(STR("x\r\ny\n")), b = forms_plain(STR("\xef\xbb\xbfx\ny")),
		   none = forms_plain(STR("\0"));
	T_OK(sha_eq(&a, &b) && sha_is_zero(&none),
	     "the plainest form is the same for all, and none for what is no text");
	return t_done();
}
