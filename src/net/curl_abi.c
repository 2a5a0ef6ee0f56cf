#include "net/curl_abi.h"

#include "sys/dl.h"

struct curl_abi libcurl;

static const struct dl_symbol curl_symbols[] = {
	{.name = "curl_global_init", .where = &libcurl.global_init},
	{.name = "curl_easy_init", .where = &libcurl.easy_init},
	{.name = "curl_easy_reset", .where = &libcurl.easy_reset},
	{.name = "curl_easy_setopt", .where = &libcurl.easy_setopt},
	{.name = "curl_easy_perform", .where = &libcurl.easy_perform},
	{.name = "curl_easy_getinfo", .where = &libcurl.easy_getinfo},
	{.name = "curl_easy_cleanup", .where = &libcurl.easy_cleanup},
	{.name = "curl_easy_strerror", .where = &libcurl.easy_strerror},
	{.name = "curl_slist_append", .where = &libcurl.slist_append},
	{.name = "curl_slist_free_all", .where = &libcurl.slist_free_all},
	{.name = "curl_getdate", .where = &libcurl.getdate},
};
static const char *const curl_names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
static struct dl_lib curl_library = {
	.name = "libcurl",
	.package = "libcurl4",
	.paths = curl_names,
	.symbols = curl_symbols,
	.n_symbols = ARRAY_LEN(curl_symbols),
};

int curl_abi_load(struct err *e)
{
	if (dl_load(&curl_library, e))
		return -1;
	if (libcurl.global_init(CURL_GLOBAL_EVERYTHING))
		return err_set(e, ERR_NO_LIBRARY, "libcurl at %s does not start", curl_library.path);
	return 0;
}
