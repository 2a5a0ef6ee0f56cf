#include "base/hash.h"
#include "base/str.h"
#include "fuzz.h"
#include "net/sign.h"
#include "web/hook.h"

/* A header up to the first NUL, then a body: nothing fits by chance, and what is right always does. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str all = {(const char *)data, n}, header = all, body = STR("");
	struct sha right;
	char hex[SHA_HEX + 1];

	(void)!str_cut(all, '\0', &header, &body);
	right = sha_hmac(STR("secret"), &body, 1);
	sha_hex(&right, hex);
	FUZZ_HOLDS(hook_signed(STR("secret"), str_of(hex), body));
	if (hook_signed(STR("secret"), header, body)) {
		struct str told = str_trim(header);

		FUZZ_HOLDS(str_has_suffix(told, str_sub(told, told.n - SHA_HEX, SHA_HEX)) && told.n >= SHA_HEX);
		FUZZ_HOLDS(str_ieq(str_sub(told, told.n - SHA_HEX, SHA_HEX), str_of(hex)));
	}
	return 0;
}
