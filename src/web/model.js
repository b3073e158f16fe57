// The pure part of the page.
