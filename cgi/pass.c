/*
 * Tokens: made from the key alone, so that any process can check one without
 * asking the store; whether it still counts is the generation's business.
 */
#include "pass.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "keep.h"

enum { PASS_NUMBER_MAX = 18 };	/* digits of a generation */

void
pass_set(struct pass_key *key, const unsigned char bytes[PASS_KEY])
{
	memcpy(key->bytes, bytes, PASS_KEY);
	token_mac_set(&key->mac, bytes, PASS_KEY);
	key->known = true;
}

static int
pass_read(struct pass_key *key, const char *path)
{
	struct buf text = BUF_INIT(PASS_KEY);
	int err = keep_read(path, &text);

	if (err == 0 && text.len == PASS_KEY) {
		pass_set(key, (const unsigned char *)text.data);
	} else if (err == 0 || err == EFBIG) {
		err = EINVAL;
	}
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_free(&text);
	return err;
}

/*
 * Writes a key beside path and links it there, which fails when another
 * process was faster: whoever reads sees one whole key, and it never changes.
 */
static int
pass_create(const char *path)
{
	unsigned char bytes[PASS_KEY];
	char beside[PATH_MAX];
	char id[TOKEN_UUID];
	int err;

	token_uuid(id);
	if (snprintf(beside, sizeof(beside), "%s.%s", path, id) >=
	    (int)sizeof(beside))
		return ENAMETOOLONG;
	token_random(bytes, sizeof(bytes));
	err = keep_write(beside, bytes, sizeof(bytes), 0600);
	explicit_bzero(bytes, sizeof(bytes));
	if (err != 0)
		return err;
	if (link(beside, path) < 0 && errno != EEXIST)
		err = errno;
	unlink(beside);
	return err;
}

int
pass_load(struct pass_key *key, const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int err = pass_read(key, path);

	if (err != ENOENT)
		return err;
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash != NULL && slash != folder) {
		*slash = '\0';
		err = keep_folder(folder);
		if (err != 0)
			return err;
	}
	err = pass_create(path);
	return err != 0 ? err : pass_read(key, path);
}

void
pass_forget(struct pass_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

static void
pass_sign(const struct pass_key *key, const char *text, size_t len,
    char out[2 * TOKEN_SHA256])
{
	struct token_mac mac = key->mac;
	unsigned char sum[TOKEN_SHA256];

	token_mac_add(&mac, text, len);
	token_mac_end(&mac, sum);
	token_base64url(out, sum, sizeof(sum));
}

void
pass_make(const struct pass_key *key, const char *id, long long generation,
    char out[PASS_SIZE])
{
	char sign[2 * TOKEN_SHA256];
	int n = snprintf(out, PASS_SIZE, "dcm1.%.36s.%lld", id, generation);

	pass_sign(key, out, (size_t)n, sign);
	snprintf(out + n, PASS_SIZE - (size_t)n, ".%s", sign);
}

/* Reads digits. What is behind them, or NULL: none, or too many. */
static const char *
pass_number(const char *text, long long *number)
{
	const char *end = text;

	for (*number = 0; *end >= '0' && *end <= '9'; end++) {
		if (end - text == PASS_NUMBER_MAX)
			return NULL;
		*number = *number * 10 + (*end - '0');
	}
	return end > text ? end : NULL;
}

bool
pass_check(const struct pass_key *key, const char *text, char id[TOKEN_UUID],
    long long *generation)
{
	size_t len = strlen(text);
	char sign[2 * TOKEN_SHA256];
	long long number;
	const char *dot;

	if (len >= PASS_SIZE || strncmp(text, "dcm1.", 5) != 0 ||
	    len < 5 + TOKEN_UUID || text[4 + TOKEN_UUID] != '.')
		return false;
	dot = pass_number(text + 5 + TOKEN_UUID, &number);
	if (dot == NULL || *dot != '.')
		return false;
	pass_sign(key, text, (size_t)(dot - text), sign);
	if (!token_equal(sign, dot + 1))
		return false;
	memcpy(id, text + 5, TOKEN_UUID - 1);
	id[TOKEN_UUID - 1] = '\0';
	*generation = number;
	return token_is_uuid(id);
}
