/*
 * What tables and bodies ask of the words that they are given.
 */
#include "text.h"

#include <string.h>

bool
text_among(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words != NULL && *words != '\0') {
		size_t n = strcspn(words, " ");

		if (n == len && n > 0 && memcmp(words, word, n) == 0)
			return true;
		words += n + strspn(words + n, " ");
	}
	return false;
}

bool
text_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}
