#include "base/name.h"

#include <stdio.h>

#include "base/str.h"

#define NAME_MAX_SEGMENTS 8

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool may_stand(char c, size_t at, bool branch)
{
	if (is_alnum(c) || (branch && (c == '_' || c == '-')))
		return true;
	return at > 0 && !branch && (c == '_' || c == '-' || c == '.');
}

/* What the name could be instead: each run of what may not stand there as one '_'. "" if nothing is left. */
static void proposal(struct str name, bool branch, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n + 1 < cap; i++) {
		if (may_stand(name.p[i], n, branch))
			out[n++] = name.p[i];
		else if (n && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

static int refuse(struct str seg, const char *what, struct str whole, bool branch, struct err *e)
{
	char could[64];

	if (!seg.n)
		err_set(e, ERR_BAD_NAME,
		        whole.n ? "\"%2$s\" is no %1$s: a part of it is empty" : "a %s cannot be empty",
		        what, STR_SHOWN(whole));
	else if (seg.n > NAME_MAX_SEGMENT)
		err_set(e, ERR_BAD_NAME, "\"%s\" is no %s: it is longer than %d bytes", STR_SHOWN(seg), what,
		        NAME_MAX_SEGMENT);
	else
		err_set(e, ERR_BAD_NAME, "\"%s\" is no %s", STR_SHOWN(whole), what);
	proposal(seg, branch, could, sizeof(could));
	return err_hint(e, "it is made of letters, digits, %s%s%s",
	        branch ? "_ and -" : "_ . and -, a letter or digit first",
	                could[0] && seg.n <= NAME_MAX_SEGMENT ? ", such as " : "",
	                could[0] && seg.n <= NAME_MAX_SEGMENT ? could : "");
}

static bool segment_holds(struct str seg, bool branch)
{
	if (!seg.n || seg.n > NAME_MAX_SEGMENT)
		return false;
	for (size_t i = 0; i < seg.n; i++)
		if (!may_stand(seg.p[i], i, branch))
			return false;
	return true;
}

int name_check_job(struct str name, struct err *e)
{
	return segment_holds(name, false) ? 0 : refuse(name, "job name", name, false, e);
}

int name_check_branch(struct str name, struct err *e)
{
	return segment_holds(name, true) ? 0 : refuse(name, "branch or tag name", name, true, e);
}

int name_check_repo(struct str name, struct err *e)
{
	struct str rest = name, seg;
	int n = 0;

	for (bool more = true; more; n++) {
		more = str_cut(rest, '/', &seg, &rest);
		if (!more)
			seg = rest;
		if (!segment_holds(seg, false))
			return refuse(seg, "repo name", name, false, e);
	}
	if (n <= NAME_MAX_SEGMENTS)
		return 0;
	err_set(e, ERR_BAD_NAME, "\"%s\" is no repo name: it has %d parts", STR_SHOWN(name), n);
	return err_hint(e, "a repo name has at most %d parts; deeper folders are paths inside the repo: REPO:/PATH",
	        NAME_MAX_SEGMENTS);
}

static int path_bytes(struct str in, struct err *e)
{
	if (in.n && memchr(in.p, '\0', in.n))
		return err_set(e, ERR_BAD_NAME, "the path \"%s\" holds a NUL byte", STR_SHOWN(in));
	if (!str_is_utf8(in)) {
		err_set(e, ERR_BAD_NAME, "the path \"%s\" is no UTF-8", STR_SHOWN(in));
		return err_hint(e, "rename the file so that its name is UTF-8");
	}
	for (size_t i = 0; i < in.n; i++)
		if ((uint8_t)in.p[i] < 0x20 || in.p[i] == 0x7f)
			return err_set(e, ERR_BAD_NAME, "the path \"%s\" holds a control character (byte %d)",
			        STR_SHOWN(in),
			               (int)in.p[i]);
	return 0;
}

int name_path(struct str in, char *out, size_t *out_len, bool *folder, struct err *e)
{
	char path[NAME_MAX_PATH + 1];
	struct str rest = in, seg;
	size_t n = 0;

	if (path_bytes(in, e))
		return -1;
	for (bool more = true; more;) {
		more = str_cut(rest, '/', &seg, &rest);
		if (!more)
			seg = rest;
		if (!seg.n)
			continue;
		if (str_is(seg, ".") || str_is(seg, "..")) {
			err_set(e, ERR_BAD_NAME, "the path \"%s\" holds a part \"%.*s\"", STR_SHOWN(in), STR_ARG(seg));
			return err_hint(e, "paths inside a repo begin at its root: REPO:/folder/file");
		}
		if (seg.n > NAME_MAX_SEGMENT)
			return err_set(e, ERR_BAD_NAME, "the name \"%s\" is longer than %d bytes", STR_SHOWN(seg),
			        NAME_MAX_SEGMENT);
		if (n + (n > 0) + seg.n > NAME_MAX_PATH)
			return err_set(e, ERR_BAD_NAME, "the path \"%s\" is longer than %d bytes", STR_SHOWN(in),
			        NAME_MAX_PATH);
		if (n)
			path[n++] = '/';
		memcpy(path + n, seg.p, seg.n);
		n += seg.n;
	}
	memcpy(out, path, n);
	out[n] = '\0';
	*out_len = n;
	if (folder)
		*folder = in.n && in.p[in.n - 1] == '/';
	return 0;
}
