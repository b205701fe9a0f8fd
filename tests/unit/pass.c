/*
 * Tokens, and the key that is made once.
 */
#include "unit.h"

#include "../../cgi/pass.c"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char id[] = "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f";

static struct pass_key
key_of(unsigned char last)
{
	unsigned char bytes[PASS_KEY] = { 0 };
	struct pass_key key;

	bytes[PASS_KEY - 1] = last;
	pass_set(&key, bytes);
	return key;
}

UNIT("a token comes back with its agent and generation")
{
	struct pass_key key = key_of(0);
	char token[PASS_SIZE], whose[TOKEN_UUID];
	long long generation;

	pass_make(&key, id, 1, token);
	CHECK(pass_check(&key, token, whose, &generation));
	CHECK_TEXT(whose, id);
	CHECK_INT(generation, 1);
	pass_make(&key, id, 999999999999999999LL, token);
	CHECK(pass_check(&key, token, whose, &generation));
	CHECK_INT(generation, 999999999999999999LL);
	pass_make(&key, id, 1000000000000000000LL, token);
	CHECK(!pass_check(&key, token, whose, &generation));
}

UNIT("a token that was altered anywhere is none")
{
	struct pass_key key = key_of(0), other = key_of(1);
	char token[PASS_SIZE], whose[TOKEN_UUID];
	long long generation;

	pass_make(&key, id, 7, token);
	for (size_t i = 0; token[i] != '\0'; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		CHECK(!pass_check(&key, token, whose, &generation));
		token[i] = '\0';
		CHECK(!pass_check(&key, token, whose, &generation));
		token[i] = was;
	}
	strcat(token, "x");
	CHECK(!pass_check(&key, token, whose, &generation));
	token[strlen(token) - 1] = '\0';
	CHECK(pass_check(&key, token, whose, &generation));
	CHECK(!pass_check(&other, token, whose, &generation));
	CHECK(!pass_check(&key, "", whose, &generation));
	CHECK(!pass_check(&key, "dcm1.", whose, &generation));
}

UNIT("twenty processes that start at once have one key, mode 600")
{
	char folder[] = "/tmp/dcm-pass.XXXXXX", path[64], line[80];
	struct pass_key key = { .known = false };
	struct stat st;
	int ends[2], bad = 0, status;

	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/state/token.key", folder);
	CHECK(pipe(ends) == 0);
	for (int i = 0; i < 20; i++) {
		if (fork() == 0) {
			int err = pass_load(&key, path);

			_exit(err != 0 || write(ends[1], key.bytes,
			    PASS_KEY) != PASS_KEY);
		}
	}
	while (wait(&status) > 0)
		bad += status != 0;
	CHECK_INT(bad, 0);
	CHECK_INT(pass_load(&key, path), 0);
	for (int i = 0; i < 20; i++) {
		unsigned char bytes[PASS_KEY];

		CHECK_INT(read(ends[0], bytes, PASS_KEY), PASS_KEY);
		CHECK(memcmp(bytes, key.bytes, PASS_KEY) == 0);
	}
	CHECK(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(st.st_nlink, 1);
	CHECK(truncate(path, 31) == 0);
	CHECK_INT(pass_load(&key, path), EINVAL);
	close(ends[0]);
	close(ends[1]);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	CHECK(system(line) == 0);
}

UNIT_MAIN
