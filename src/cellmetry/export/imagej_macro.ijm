var folder = "";
var file = "";
var lines = newArray(0);
var largest = newArray(measures.length);
var row = 0;

// How it is measured. Nothing below differs from one study to another.
// List.setMeasurements measures what Analyze > Measure does with everything set in Set Measurements, without changing
// that setting or the Results table.
saveSettings();
setBatchMode(true);
folder = findFolder();
if (roiManager("count") > 0) stop("The ROI manager holds outlines; save them, delete them there, and run this again.");
if (File.exists(folder + oursFile)) lines = split(File.openAsString(folder + oursFile), "\n");
file = File.open(folder + resultFile);
print(file, "image,label,unit," + String.join(measures, ","));
for (k = 0; k < imageFiles.length; k++) measureImage(k);
File.close(file);
tell();
restoreSettings();

function stop(sentence) {
    if (file != "") {
        File.close(file);
        deleted = File.delete(folder + resultFile);
    }
    restoreSettings();
    exit(sentence);
}

// Return the folder in which this macro lies, or ask for it where ImageJ does not know.
function findFolder() {
    place = getArgument();
    if (place == "") place = File.getParent(getInfo("macro.filepath"));
    if (!File.exists(place + "/" + roiFiles[0])) place = getDirectory("Which folder is this macro in?");
    if (!File.exists(place + "/" + roiFiles[0])) stop("There is no " + roiFiles[0] + " in " + place);
    return place + "/";
}

// Measure the outlines of image k on its channel, and write a line for each.
function measureImage(k) {
    showProgress(k, imageFiles.length);
    if (!File.exists(folder + imageFiles[k])) stop("There is no image " + folder + imageFiles[k]);
    open(folder + imageFiles[k]);
    run("Select None");
    if (bitDepth() == 24) run("RGB Stack");
    if (getWidth() != widths[k] || getHeight() != heights[k] || nSlices != planes[k])
        stop("Another image is in " + imageFiles[k] + ": its size or number of channels differs.");
    if (nSlices > 1) setSlice(channels[k]);
    setScale(k);
    if (calibrate(1) != 1) stop("The grey values of " + imageFiles[k] + " are calibrated; set Analyze > Calibrate to None.");
    if (background != "") run("Subtract Background...", background);
    roiManager("open", folder + roiFiles[k]);
    if (roiManager("count") != counts[k]) stop("There are not " + counts[k] + " outlines in " + roiFiles[k] + ".");
    for (i = 0; i < counts[k]; i++) {
        roiManager("select", i);
        List.setMeasurements;
        writeObject(k, parseFloat(call("ij.plugin.frame.RoiManager.getName", i)));
    }
    roiManager("reset");
    close();
}

// Set the size of a pixel as Cellmetry knows it; areas are in its unit.
function setScale(k) {
    setVoxelSize(pixelWidths[k], pixelHeights[k], 1, units[k]);
    getPixelSize(unit, width, height);
    if (abs(width - pixelWidths[k]) > 1e-9 * width || abs(height - pixelHeights[k]) > 1e-9 * height)
        stop("Another scale is set for all images; untick Global in Analyze > Set Scale and run this again.");
}

// Write what was just measured of an object of image k, and see how far it is from Cellmetry's numbers.
function writeObject(k, label) {
    line = csvNames[k] + "," + d2s(label, 0) + "," + units[k];
    for (m = 0; m < measures.length; m++) line = line + "," + d2s(List.getValue(measures[m]), 9);
    print(file, line);
    row++;
    if (row < lines.length) compare(label);
}

// Keep the largest differences, each as a fraction of the larger number.
function compare(label) {
    fields = split(lines[row], ",");
    first = fields.length - measures.length;
    if (parseFloat(fields[first - 2]) != label) stop("Another object is in row " + row + " of " + oursFile + ".");
    for (m = 0; m < measures.length; m++) {
        ours = parseFloat(fields[first + m]);
        theirs = List.getValue(measures[m]);
        size = maxOf(abs(ours), abs(theirs));
        if (size > 0) largest[m] = maxOf(largest[m], abs(ours - theirs) / size);
    }
}

function tell() {
    print(row + " objects of " + imageFiles.length + " images: " + folder + resultFile);
    if (lines.length == 0) return;
    if (lines.length != row + 1) print("But " + oursFile + " has " + (lines.length - 1) + " rows.");
    print("Largest differences between ImageJ and Cellmetry, as fractions of the numbers:");
    for (m = 0; m < measures.length; m++) print("  " + measures[m] + ": " + d2s(largest[m], -2));
}
