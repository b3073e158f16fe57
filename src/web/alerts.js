// How the page calls for attention.

import { $, make } from "./dom.js";

/// The log is no live region: some screen readers repeat those.
export function announce(textContent, urgent) {
	const line = make("p", { textContent });
	$(urgent ? "urgent" : "polite").append(line);
	setTimeout(() => line.remove(), 5000);
}

let audio;

export function beep() {
	audio ??= new AudioContext();
	audio.resume();
	const tone = new OscillatorNode(audio, { frequency: 740 });
	const volume = new GainNode(audio, { gain: 0.1 });
	volume.gain.setTargetAtTime(0, audio.currentTime + 0.1, 0.06);
	tone.connect(volume).connect(audio.destination);
	tone.start();
	tone.stop(audio.currentTime + 0.5);
}

export function notify(title, body) {
	try {
		const shown = new Notification(title, { body, tag: "chinwag", icon: "icon.svg" });
		shown.onclick = () => focus();
	} catch {
		// Android lets only service workers notify.
	}
}
