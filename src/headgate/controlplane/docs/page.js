"use strict";

// Without a validator of another site, and without what could be asked of one.
if (window.SwaggerUIBundle) {
  SwaggerUIBundle({
    dom_id: "#reference",
    url: "openapi.json",
    validatorUrl: null,
    deepLinking: true,
    docExpansion: "none",
    tryItOutEnabled: false,
  });
}
