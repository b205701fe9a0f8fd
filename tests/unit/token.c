#include "unit.h"

#include "../../lib/token.c"

static char hex[2 * TOKEN_SHA256 + 1];

static const char *
digest(const char *text)
{
	unsigned char sum[TOKEN_SHA256];

	token_sha256(sum, text, strlen(text));
	token_hex(hex, sum, sizeof(sum));
	return hex;
}

static const char *
hmac(const void *key, size_t keylen, const void *data, size_t len)
{
	unsigned char sum[TOKEN_SHA256];

	token_hmac(sum, key, keylen, data, len);
	token_hex(hex, sum, sizeof(sum));
	return hex;
}

UNIT("SHA-256 gives what FIPS 180-4 gives")
{
	static char million[1000001];

	CHECK_TEXT(digest(""), "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	CHECK_TEXT(digest("abc"), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	CHECK_TEXT(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
	    "mnopnopq"), "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	CHECK_TEXT(digest(million), "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
}

UNIT("HMAC-SHA256 gives what RFC 4231 gives")
{
	unsigned char key[131], data[50];

	memset(key, 0x0b, 20);
	CHECK_TEXT(hmac(key, 20, "Hi There", 8),
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	CHECK_TEXT(hmac("Jefe", 4, "what do ya want for nothing?", 28),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	CHECK_TEXT(hmac(key, 20, data, 50),
	    "773ea91e36800e46854db8ebd09181a7"
	    "2959098b3ef8c122d9635514ced565fe");
	CHECK_TEXT(hmac(key, 131, "Test Using Larger Than Block-Size Key - "
	    "Hash Key First", 54), "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
	CHECK_TEXT(hmac(key, 131, "This is a test using a larger than "
	    "block-size key and a larger than block-size data. The key needs "
	    "to be hashed before being used by the HMAC algorithm.", 152),
	    "9b09ffa71b942fcb27635fbcd5b0e944"
	    "bfdc63644f0713938a7f51535c3a35e2");
	for (unsigned char i = 0; i < 25; i++)
		key[i] = (unsigned char)(i + 1);
	memset(data, 0xcd, sizeof(data));
	CHECK_TEXT(hmac(key, 25, data, 50),
	    "82558a389a443c0ea4cc819899f2083a"
	    "85f0faa3e578f8077a2e3ff46729665b");
}

UNIT("bytes are written as hex and as base64url")
{
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg" },
		{ "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" }, { "\xff", "_w" } };
	char out[2 * 6 + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i][0]);
		char exact[16];

		memset(exact, 'x', sizeof(exact));
		token_base64url(exact, rows[i][0], n);
		CHECK_TEXT(exact, rows[i][1]);
		CHECK(exact[(n * 4 + 2) / 3 + 1] == 'x');
	}
	token_hex(out, "\x00\x7f\x80\xff\x0a\xa0", 6);
	CHECK_TEXT(out, "007f80ff0aa0");
	token_hex(out, "", 0);
	CHECK_TEXT(out, "");
}

UNIT("base64 is read back, up to the room there is")
{
	static const char *const rows[][2] = { { "", "" }, { "Zg==", "f" },
		{ "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "+//+", "\xfb\xff\xfe" },
		{ "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin:open sesame" } };
	char out[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i][1]);

		memset(out, 'x', sizeof(out));
		CHECK_INT(token_unbase64(out, n, rows[i][0]), n);
		CHECK_TEXT(out, rows[i][1]);
		CHECK(out[n + 1] == 'x');
		if (n > 0)
			CHECK_INT(token_unbase64(out, n - 1, rows[i][0]), -1);
	}
	CHECK_INT(token_unbase64(out, 31, "YQBi"), 3);
	CHECK(memcmp(out, "a\0b", 4) == 0);
}

UNIT("base64 that is malformed is refused")
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zm9", "Zg===",
		"====", "=", "==", "Z===", "Zg==Zg==", "Zm8=x", "Zm9v=",
		"Zm9v====", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9v",
		"Zm9v Zm9", "-__-", "Zm9v,AAA", "Zm\xc3\xa9", "Zm9v\x80" };
	char out[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (token_unbase64(out, 31, bad[i]) != -1)
			UNIT_FAIL("accepted: %s", bad[i]);
}

UNIT("a UUID is of version 4, in lower case, and never the same")
{
	char id[TOKEN_UUID], before[TOKEN_UUID] = "";

	for (int i = 0; i < 1000; i++) {
		token_uuid(id);
		CHECK(token_is_uuid(id));
		CHECK(id[14] == '4');
		CHECK(strchr("89ab", id[19]) != NULL);
		for (const char *p = id; *p != '\0'; p++)
			CHECK(*p < 'A' || *p > 'Z');
		CHECK(strcmp(id, before) != 0);
		memcpy(before, id, sizeof(id));
	}
}

UNIT("a UUID with a time is of version 7, and sorts by it")
{
	char id[TOKEN_UUID], before[TOKEN_UUID] = "";

	for (long long ms = 1700000000000; ms < 1700000001000; ms++) {
		token_uuid_timed(id, ms);
		CHECK(token_is_uuid(id));
		CHECK(id[14] == '7');
		CHECK(strchr("89ab", id[19]) != NULL);
		CHECK(strcmp(id, before) > 0);
		memcpy(before, id, sizeof(id));
	}
	CHECK(strncmp(id, "018bcfe56be7", 8) == 0);
	token_uuid_timed(id, 1700000000999);
	CHECK(strncmp(id, before, 13) == 0);
	CHECK(strcmp(id, before) != 0);
}

UNIT("what has not the shape of a UUID is none")
{
	static const char good[] = "0190163d-8694-739B-AEA5-966c26f8ad91";
	char text[64];

	CHECK(token_is_uuid(good));
	CHECK(!token_is_uuid(""));
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		memcpy(text, good, sizeof(good));
		text[i] = text[i] == '-' ? '0' : '-';
		CHECK(!token_is_uuid(text));
		text[i] = 'g';
		CHECK(!token_is_uuid(text));
		text[i] = '\0';
		CHECK(!token_is_uuid(text));
	}
	snprintf(text, sizeof(text), "%s0", good);
	CHECK(!token_is_uuid(text));
	snprintf(text, sizeof(text), "{%s}", good);
	CHECK(!token_is_uuid(text));
}

UNIT("secrets are equal only when all of them is")
{
	CHECK(token_equal("", ""));
	CHECK(token_equal("secret", "secret"));
	CHECK(!token_equal("secret", "secreT"));
	CHECK(!token_equal("Secret", "secret"));
	CHECK(!token_equal("secret", "secrets"));
	CHECK(!token_equal("secret", ""));
	CHECK(!token_equal("", "secret"));
}

UNIT("chance covers all 64 bits")
{
	uint64_t any = 0, all = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		uint64_t bits = token_chance();

		any |= bits;
		all &= bits;
	}
	CHECK(any == UINT64_MAX);
	CHECK(all == 0);
}

UNIT("base64 with padding, as RFC 4648 has it")
{
	static const char *const want[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	char out[TOKEN_BASE64(6)];

	for (size_t n = 0; n <= 6; n++) {
		token_base64(out, "foobar", n);
		CHECK_TEXT(out, want[n]);
	}
	token_base64(out, "\xff\xfe\xfb", 3);
	CHECK_TEXT(out, "//77");
}

UNIT_MAIN
