/*
 * base/url.h: URLs as text (RFC 3986): enough to see where one leads, to name a file by it, and to keep passwords out
 * of sight. Who transfers parses for itself.
 */
#ifndef LEAT_BASE_URL_H
#define LEAT_BASE_URL_H

#include "base/arena.h"

/* Parts of `scheme:[//[user@]host[:port]]path[?query][#fragment]`, pointing into the text; absent ones are STR_NULL. */
struct url {
	struct str scheme, user, host, port, path, query;
};
must_check bool url_split(struct str text, struct url *out); /* false: there is no scheme */

/* %41 → 'A'; what is no such triple stays. In the arena. */
struct str url_decode(struct arena *a, struct str s);

/*
 * The text with every user:password@ of a URL in it as ***@: for whatever is shown or kept. Gives the text itself where
 * there is none.
 */
struct str url_redact(struct arena *a, struct str text);

#endif
