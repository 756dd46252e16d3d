"""What the results page says beside its tables."""

INTRO = """Every number on this page is read from a record that one command makes; the command
stands below each table. A mean and its spread (the standard deviation) are over seeds, and the
accuracy of one seed is itself a mean over several encodings of all held-out images. Times are
seconds of training on the machine named, with whatever else it was doing.
"""
# What a reader may want to hold our figures against, and what is known of each.
OTHERS = """Two figures from elsewhere stand beside ours. **98.89&nbsp;%** is usually quoted for the
network 784-800-10 of Wu et al. (2018); we could check neither it nor the constants it was reached
with. **95.99&nbsp;%** is what the notes that this course grew from report: 20 epochs with T = 10 in
329 minutes, in NumPy, one step and one image at a time.

What differs from those notes, beside the speed: their constants are V<sub>th</sub> = 1.5 and the
rectangle with a = 1. Ours are in the recipe below the table, and each row of the table says where
it differs from the recipe. It learns with T = {T} steps and answers with T = {T_test} (the rates of
more steps are steadier), and it shifts each training image by up to {shift} pixel each way, drawn
anew in each epoch; the test images stay as they are.
"""

WORDS = {
    "mnist-hour": """Shifts keep a network from learning images by heart, and so does adversarial
training, which is explained
[below](#images-as-they-are-with-adversarial-training). Both together leave more to learn, and
take longer.
""",
    "mnist-plain": """Without shifts a network soon knows every training image by heart. Two things
hold that back: few steps, so that an image is another draw of spikes whenever it is seen, and
dropout. What has learned with few steps may answer with many, which average the noise out.
""",
    "mnist-adversarial": """A third thing holds learning by heart back: images that are made a
little harder. The error that reaches a pixel, the sum of its δ over all steps, says which way its
grey level raises the loss. Before the network learns from an image, its pixels can be moved that
way by a small share of white, with the fast gradient sign method (FGSM): `adversarial` in the
table, and Goodfellow and others in [further reading](further-reading.md#regularisation).

An image whose rates are exactly the target has no error, and nothing says where to move it; soon
that is true of most. So these runs ask for the error of another loss, the one whose targets are the
nine other answers, and move the pixels down that loss: `fgsm` in the table, and Kurakin and others
in further reading. Every image can be moved that way, and goes on teaching once it is answered.
[Below](#which-way-fgsm-moves-images-chosen-on-validation-images) both ways stand side by side, on
validation images.

Pixels that are dark in the whole half of a batch stay dark. A little weight decay goes with it. No
image is shifted or turned; whether you count this as augmentation is up to you, so it has a table
of its own.
""",
    "mnist-rules": """Read each difference beside the spread over seeds. Images that stand still ask
little of the paths through time, and a test accuracy is no proof of a gradient: see
[notebook 13](notebooks/13_what_matters.ipynb).
""",
    "mnist-surrogates": """Each has the height 1 at the threshold, as in
[notebook 13](notebooks/13_what_matters.ipynb).
""",
}
