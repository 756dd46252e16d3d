// Put a notebook page back as it was: cells, folds, menu, search, theme, focus, storage.
() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    all("[aria-label^='Reset code cell']").forEach((button) => button.click());
    all(".cell-fold").forEach((fold) => (fold.open = false));
    all("#__drawer:checked, #__search:checked").forEach((box) => box.click());
    all("[data-md-component=search] form").forEach((form) => form.reset());
    if (document.body.dataset.mdColorScheme === "slate") all("[data-theme-button]")[0].click();
    document.body.tabIndex = -1;
    document.body.focus(); // the next Tab goes to the first stop of the page
    document.body.removeAttribute("tabindex");
    localStorage.clear();
    document.dispatchEvent(new CustomEvent("stbp-progress")); // the cards of earlier answers go
    scrollTo(0, 0);
}
