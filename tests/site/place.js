// Where the coloured copy of the code shows a text: its left and its right end, and its height.
(cell, text) => {
    const code = cell.querySelector("code");
    const start = code.textContent.indexOf(text);
    const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let passed = 0;
    for (let node; (node = nodes.nextNode()); passed += node.length) {
        const inside = (offset) => offset >= passed && offset <= passed + node.length;
        if (inside(start)) range.setStart(node, start - passed);
        if (inside(start + text.length)) range.setEnd(node, start + text.length - passed);
    }
    const { left, right, top, bottom } = range.getBoundingClientRect();
    return [left, right, (top + bottom) / 2];
}
