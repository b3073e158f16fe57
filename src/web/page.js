// The part of the page that touches the DOM.
