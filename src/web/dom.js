// Tools for the DOM. Text enters the page here, and only as textContent.

export const $ = (id) => document.getElementById(id);

export function make(tag, properties, ...children) {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

export function button(textContent, name, value, more) {
	return make("button", { textContent, name, value, ...more });
}

/// Shows a text, or hides the element if there is none.
export function text(element, words) {
	if (element.textContent !== words) element.textContent = words;
	show(element, words);
}

export function show(element, shown) {
	if (element.hidden === !!shown) element.hidden = !shown;
}

/// Makes children match `items`. The element of a key stays, and keeps the focus.
export function reconcile(parent, items, create, update) {
	const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
	let at = parent.firstElementChild;
	for (const item of items) {
		const key = item.key ?? item.name;
		const child = old.get(key) ?? create(item);
		old.delete(key);
		child.dataset.key = key;
		update?.(child, item);
		if (child === at) at = at.nextElementSibling;
		else parent.insertBefore(child, at);
	}
	for (const child of old.values()) child.remove();
}
