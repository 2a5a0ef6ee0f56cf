/* Signatures: the examples of the AWS API reference, "Authenticating Requests: Using the Authorization Header". */
#include "base/str.h"
#include "net/sign.h"
#include "t.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct arena *a;

static const char *signature(const struct sign_request *r)
{
	const char *all = sign_request(a, r), *at = strstr(all, "Signature=");

	return at ? at + strlen("Signature=") : all;
}

static struct sign_request example(const char *method, const char *path, const char *query)
{
	return (struct sign_request){
		.method = method, .path = path, .query = query, .payload = EMPTY, .time = "20130524T000000Z",
		.region = "us-east-1", .service = "s3", .key = "AKIAIOSFODNN7EXAMPLE",
		.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	};
}

static void examples(void)
{
	static const struct sign_header range[] = {
		{"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY},
		{"x-amz-date", "20130524T000000Z"}};
	static const struct sign_header plain[] = {{"host", "examplebucket.s3.amazonaws.com"},
	                                           {"x-amz-content-sha256", EMPTY},
	                                           {"x-amz-date", "20130524T000000Z"}};
	static const char text[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	static const struct sign_header put[] = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
	                                         {"host", "examplebucket.s3.amazonaws.com"},
	                                         {"x-amz-content-sha256", text},
	                                         {"x-amz-date", "20130524T000000Z"},
	                                         {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
	static const struct sign_header life[] = {{"lifecycle", NULL}};
	static const struct sign_header list[] = {{"prefix", "J"}, {"max-keys", "2"}};
	struct sign_request r = example("GET", "/test.txt", "");

	r.headers = range;
	r.n_headers = 4;
	T_STR(signature(&r), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	      "an object, a part of it");
	r = example("PUT", arena_printf(a, "/%s", sign_encode(a, STR("test$file.text"), true)), "");
	r.headers = put;
	r.n_headers = 5;
	r.payload = text;
	T_STR(signature(&r), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
	      "an object that is put");
	r = example("GET", "/", sign_query(a, life, 1));
	r.headers = plain;
	r.n_headers = 3;
	T_STR(signature(&r), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	      "a query without a value");
	r.query = sign_query(a, list, 2);
	T_STR(signature(&r), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	      "a query with two, in order");
	T_STR(arena_cstr(a, str_sub(str_of(sign_request(a, &r)), 0, 145)),
	      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
	      "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=",
	      "the header as a whole");
}

static void texts(void)
{
	char when[SIGN_TIME];

	T_STR(sign_encode(a, STR("a b/\xc3\xa9~-_.'*"), true), "a%20b/%C3%A9~-_.%27%2A", "paths keep their slashes");
	T_STR(sign_encode(a, STR("a/b=c"), false), "a%2Fb%3Dc", "values do not");
	sign_time(1369353600, when);
	T_STR(when, "20130524T000000Z", "a time");
	T_STR(sign_query(a, NULL, 0), "", "no query");
}

int main(void)
{
	a = arena_new();
	examples();
	texts();
	arena_free(a);
	return t_done();
}
