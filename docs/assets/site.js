"use strict";
/* Pictures that open large, formulas and tables that the keyboard can scroll, and the scheme of the playground's frames.
   Without this script a picture's link opens the file. */

const large = document.createElement("dialog");
large.className = "large";
large.setAttribute("aria-label", "The picture, large");
large.addEventListener("click", () => large.close());
document.body.append(large);

for (const link of document.querySelectorAll("a.picture")) {
  link.addEventListener("click", event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;   // as a browser opens it in a new tab
    event.preventDefault();
    const picture = link.querySelector("img");
    const image = Object.assign(document.createElement("img"), { src: picture.src, alt: picture.alt });
    const close = Object.assign(document.createElement("button"), { textContent: "Close", type: "button" });
    large.replaceChildren(close, image);
    large.showModal();
  });
}

/* A box that scrolls sideways can be reached with the tab key, and no other box can. */
function reachable() {
  for (const box of document.querySelectorAll("div.formula, .md-typeset__scrollwrap, .md-typeset pre > code")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachable);
addEventListener("load", reachable);
reachable();

/* The address of each frame names the scheme of the page, and changes with it. */
function framed() {
  const scheme = document.body.getAttribute("data-md-color-scheme") === "slate" ? "dark" : "light";
  for (const frame of document.querySelectorAll("iframe.playground")) {
    const address = `${frame.getAttribute("src").split("#")[0]}#embed&scheme=${scheme}`;
    if (frame.getAttribute("src") !== address) frame.setAttribute("src", address);
  }
}
new MutationObserver(framed).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
framed();

/* The theme's search is a dialog without a name. */
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
