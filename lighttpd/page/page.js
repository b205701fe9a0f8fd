// page.js: Swagger UI over the document that lies beside this page, so that
// "Try it out" calls the controller that served it. It talks to no other host.

(function () {
	"use strict";

	const dark = window.matchMedia("(prefers-color-scheme: dark)");

	function colour() {
		document.documentElement.classList.toggle("dark-mode",
		    dark.matches);
	}

	// The example of a parameter that may be left out is for reading:
	// filled in, the first publish that is tried would fail by its If-Match.
	function unfill(parameter) {
		if (parameter.required || parameter.example === undefined)
			return;
		parameter.description += ". Example: `" + parameter.example +
		    "`";
		delete parameter.example;
	}

	function Unfilled() {
		return { statePlugins: { spec: { wrapActions: {
			updateJsonSpec: (update) => (spec) => {
				for (const path of Object.values(spec.paths || {}))
					for (const way of Object.values(path))
						(way.parameters || []).forEach(unfill);
				return update(spec);
			},
		} } } };
	}

	colour();
	dark.addEventListener("change", colour);
	SwaggerUIBundle({
		dom_id: "#swagger-ui",
		url: new URL("swagger.yaml", document.baseURI).href,
		plugins: [Unfilled],
		validatorUrl: null,
		deepLinking: true,
		defaultModelsExpandDepth: -1,
		displayRequestDuration: true,
		persistAuthorization: false,
		withCredentials: false,
	});
}());
