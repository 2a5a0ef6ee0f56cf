/*
 * net/curl_abi.h: the parts of libcurl (7.68 and later) that we use, declared by us, so that no header of its is
 * needed and nothing links against it. Names, numbers and shapes are those of its stable ABI. In worker processes only.
 */
#ifndef LEAT_NET_CURL_ABI_H
#define LEAT_NET_CURL_ABI_H

#include "base/err.h"

typedef struct curl_opaque *curl_handle;
struct curl_slist;

#define CURL_ERROR_CAP 256
#define CURL_GLOBAL_EVERYTHING 3L

/*
 * Callbacks: size_t write(char *, size_t, size_t, void *), read alike; int progress(void *, int64_t x4);
 * int seek(void *, int64_t offset, int origin).
 */
enum curl_option { /* + 0 takes a long, + 10000 a pointer, + 20000 a function, + 30000 an int64_t */
	CURL_O_WRITEDATA = 10001,
	CURL_O_URL = 10002,
	CURL_O_RANGE = 10007,
	CURL_O_READDATA = 10009,
	CURL_O_ERRORBUFFER = 10010,
	CURL_O_WRITEFUNCTION = 20011,
	CURL_O_POSTFIELDS = 10015,
	CURL_O_USERAGENT = 10018,
	CURL_O_HTTPHEADER = 10023,
	CURL_O_HEADERDATA = 10029,
	CURL_O_CUSTOMREQUEST = 10036,
	CURL_O_NOPROGRESS = 43,
	CURL_O_NOBODY = 44,
	CURL_O_UPLOAD = 46,
	CURL_O_POSTFIELDSIZE = 60,
	CURL_O_TIMEOUT_MS = 155,
	CURL_O_XFERINFODATA = 10057,
	CURL_O_CAINFO = 10065,
	CURL_O_HEADERFUNCTION = 20079,
	CURL_O_NOSIGNAL = 99,
	CURL_O_SEEKDATA = 10168,
	CURL_O_READFUNCTION = 20012,
	CURL_O_SEEKFUNCTION = 20167,
	CURL_O_PATH_AS_IS = 234,
	CURL_O_INFILESIZE_LARGE = 30115,
	CURL_O_CONNECTTIMEOUT_MS = 156,
	CURL_O_USERNAME = 10173,
	CURL_O_PASSWORD = 10174,
	CURL_O_XFERINFOFUNCTION = 20219,
	CURL_O_SUPPRESS_CONNECT_HEADERS = 265,
};
enum curl_info { CURL_I_RESPONSE_CODE = 0x200002, CURL_I_REDIRECT_URL = 0x10001f };
enum curl_code {
	CURL_E_OK = 0,
	CURL_E_URL = 3,
	CURL_E_RESOLVE_PROXY = 5,
	CURL_E_RESOLVE = 6,
	CURL_E_CONNECT = 7,
	CURL_E_HTTP2 = 16,
	CURL_E_PARTIAL = 18,
	CURL_E_WRITE = 23,
	CURL_E_TIMEOUT = 28,
	CURL_E_ABORTED = 42,
	CURL_E_NOTHING = 52,
	CURL_E_SEND = 55,
	CURL_E_RECV = 56,
	CURL_E_UNTRUSTED = 60,
	CURL_E_CA_FILE = 77,
	CURL_E_HTTP2_STREAM = 92,
};

struct curl_abi {
	int (*global_init)(long flags);
	curl_handle (*easy_init)(void);
	void (*easy_reset)(curl_handle);
	int (*easy_setopt)(curl_handle, int option, ...);
	int (*easy_perform)(curl_handle);
	int (*easy_getinfo)(curl_handle, int info, ...);
	void (*easy_cleanup)(curl_handle);
	const char *(*easy_strerror)(int);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
	int64_t (*getdate)(const char *, const void *unused_now); /* time_t */
};
extern struct curl_abi libcurl;
must_check int curl_abi_load(struct err *e);

#endif
