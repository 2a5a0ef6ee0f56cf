#include "base/str.h"
#include "job/download.h"
#include "net/curl_abi.h"
#include "t.h"

static void names(struct arena *a)
{
	static const struct {
		const char *url, *name;
		enum download_unpack how;
		const char *want; /* NULL: refused */
	} all[] = {
		{"https://h/a/data.csv?x=/y", "", UNPACK_NONE, "data.csv"},
		{"https://h/a%20b.csv#top", "", UNPACK_NONE, "a b.csv"},
		{"https://h/d.csv.gz", "", UNPACK_NONE, "d.csv.gz"},
		{"https://h/d.csv.gz", "", UNPACK_GUNZIP, "d.csv"},
		{"https://h/d.tgz", "", UNPACK_GUNZIP, "d.tar"},
		{"https://h/x", "sub/y.csv", UNPACK_NONE, "sub/y.csv"},
		{"https://h/", "", UNPACK_NONE, NULL},
		{"https://h", "", UNPACK_NONE, NULL},
		{"https://h/a/..", "", UNPACK_NONE, NULL},
		{"https://h/a%2Fb", "", UNPACK_NONE, NULL},
		{"https://h/a%00b", "", UNPACK_NONE, NULL},
		{"https://h/%ff", "", UNPACK_NONE, NULL},
		{"https://h/x", "../y", UNPACK_NONE, NULL},
		{"https://h/x", "y/", UNPACK_NONE, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct err e = ERR_INIT;
		const char *out = NULL;
		int r = download_url_name(a, str_of(all[i].url), str_of(all[i].name), all[i].how, &out, &e);

		T_STR(r ? NULL : out, all[i].want, "a URL gives a name, or is refused (URL %zu)", i);
	}
}

static void sizes(void)
{
	static const struct {
		const char *text;
		int64_t want; /* 0: refused */
	} all[] = {{"1000", 1000}, {"10kB", 10000}, {"2 GiB", (int64_t)2 << 30}, {"1TiB", (int64_t)1 << 40}, {"0", 0},
	           {"-1", 0},      {"1.5GB", 0},    {"GB", 0},                   {"9999999999TB", 0},        {"", 0}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int64_t n = 0;

		T_OK(download_size(str_of(all[i].text), &n) == (all[i].want > 0) && n == all[i].want,
		     "\"%s\" is %lld bytes", all[i].text, (long long)all[i].want);
	}
}

static void retry_after(void)
{
	struct err e = ERR_INIT;
	int64_t now = 1445412420000; /* 2015-10-21T07:27:00Z */

	T_OK(download_fetch_retry_after(STR("120"), now) == 120000, "Retry-After may be seconds");
	T_OK(download_fetch_retry_after(STR("99999999999"), now) == DOWNLOAD_MAX_RETRY_MS, "a day at most");
	T_OK(download_fetch_retry_after(STR("-5"), now) == 0 && !download_fetch_retry_after(STR(""), now),
	     "not before now");
	if (curl_abi_load(&e))
		return;
	T_OK(download_fetch_retry_after(STR("Wed, 21 Oct 2015 07:28:00 GMT"), now) == 60000,
	     "Retry-After may be an HTTP date");
	T_OK(download_fetch_retry_after(STR("Wed, 21 Oct 2015 07:26:00 GMT"), now) == 0, "a date that is past is now");
	T_OK(download_fetch_retry_after(STR("soon"), now) == 0, "what is neither counts as nothing");
}

int main(void)
{
	struct arena *a = arena_new();

	names(a);
	sizes();
	retry_after();
	arena_free(a);
	return t_done();
}
