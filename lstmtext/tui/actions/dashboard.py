"""The dashboard of one run. Pausing the training and freezing the display are two things and two keys."""

from __future__ import annotations

from lstmtext.tui.keys import Action
from lstmtext.tui.series import AXES, SMOOTHINGS
from lstmtext.tui.state import Setting

ACTIONS = (
    Action(
        "dashboard.pause", "p", "Pause", "Training holds after its step and loses nothing; nobody else is affected."
    ),
    Action("dashboard.resume", "r", "Go on", "Let a paused training go on."),
    Action("dashboard.freeze", "f", "Freeze", "Stop the display, not the training; again: show it live."),
    Action("dashboard.stop", "x", "Stop", "End the run in good order: it saves first. Asks before."),
    Action("dashboard.resume_run", "R", "Resume run", "Train on a run that was stopped, failed or crashed."),
    Action("dashboard.next_page", "t", "Page", "Charts, samples, summary, notes."),
    Action("dashboard.save", "s", "Save", "Have a checkpoint written now; training goes on."),
    Action(
        "dashboard.sample", "w", "Write", "Have the model write a text as it is now; training is not changed by it."
    ),
    Action("dashboard.previous_page", "T", "Page back", "The page before.", show=False),
    Action("dashboard.overlay", "o", "Beside", "Draw another run into the charts; again: choose another, or none."),
    Action("dashboard.new_run", "n", "New run", "To the form of a new training, with the text of this one."),
    Action("dashboard.use", "u", "Use", "Write with this model, or ask this classifier.", show=False),
    Action("dashboard.axis", "a", "Axis", "x by steps, tokens, or time of training.", show=False),
    Action("dashboard.log", "y", "Log y", "Logarithmic or linear y axis of the selected chart.", show=False),
    Action(
        "dashboard.full",
        "Y",
        "All of y",
        "Let the y axis reach over the first steep fall and rare spikes too.",
        show=False,
    ),
    Action("dashboard.smooth", "m", "Smoother", "More smoothing; after the most, none.", show=False),
    Action("dashboard.rougher", "M", "Rougher", "Less smoothing.", show=False),
    Action("dashboard.zoom_in", "plus,equals_sign", "Zoom in", "Half as much of the run.", show=False),
    Action("dashboard.zoom_out", "minus", "Zoom out", "Twice as much of the run.", show=False),
    Action("dashboard.earlier", "H,shift+left", "Earlier", "Move the window back.", show=False),
    Action("dashboard.later", "L,shift+right", "Later", "Move the window on.", show=False),
    Action("dashboard.left", "h,left", "Left", "Cursor to the left; the sample before.", show=False),
    Action("dashboard.right", "l,right", "Right", "Cursor to the right; the next sample.", show=False),
    Action("dashboard.up", "k,up", "Up", "The chart above; the sample before.", show=False),
    Action("dashboard.down", "j,down", "Down", "The chart below; the next sample.", show=False),
    Action("dashboard.page_up", "pageup", "Page up", "Scroll the text.", show=False),
    Action("dashboard.page_down", "pagedown", "Page down", "Scroll the text.", show=False),
    Action(
        "dashboard.alone", "enter", "Enlarge", "Give the selected chart all the room; again: all of them.", show=False
    ),
    Action("dashboard.whole", "0,home", "Whole run", "Show the whole run; the first sample.", show=False),
    Action(
        "dashboard.follow", "G,end", "Newest", "Go to the newest record and follow; puts the cursor away.", show=False
    ),
    Action("dashboard.diff", "d", "Changes", "Mark the words of a sample that changed.", show=False),
    Action("dashboard.export", "e", "CSV", "Write the data of all charts to a CSV file in this folder.", show=False),
    Action("dashboard.copy", "c", "Copy", "Copy the sample, or the numbers under the cursor.", show=False),
    Action("dashboard.leave", "escape", "Back", "Put the cursor away; then back to the form. The run goes on."),
)

SETTINGS = (
    Setting("smoothing", 2, "How strongly curves are smoothed, 0 to 4.", choices=tuple(range(len(SMOOTHINGS)))),
    Setting("axis", "step", "What x is.", choices=AXES),
    Setting("logs", [], "Charts whose y axis was switched to the other kind."),
    Setting("chart", 0, "The selected chart."),
    Setting("alone", False, "Whether the selected chart has all the room."),
    Setting("page", "charts", "The page.", choices=("charts", "samples", "summary", "notes")),
    Setting("diff", True, "Whether samples show what changed."),
    Setting("prompt", "", "The last prompt of a sample that was asked for."),
)
